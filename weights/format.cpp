// SPDX-License-Identifier: MIT
#include "weights/format.hpp"

#include <cmath>

namespace atomtrack::weights_format {

using hdf5::Handle;

Handle half_type() {
  Handle type(H5Tcopy(H5T_IEEE_F32LE), H5Tclose, "HDF5: cannot make the half-precision type");
  H5Tset_fields(type, 15, 10, 5, 0, 10);
  H5Tset_size(type, 2);
  H5Tset_ebias(type, 15);
  return type;
}

Handle file_access() {
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "HDF5: cannot make access properties");
  H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
  H5Pset_file_locking(access, 0, 1);
  return access;
}

void check_metadata(const WeightsMetadata& metadata, const std::string& path) {
  for (const double mean : metadata.mean) {
    require<WeightsError>(std::isfinite(mean), path, ": a mean of ", mean,
                          ", expected a finite number");
  }
  for (const double deviation : metadata.deviation) {
    require<WeightsError>(std::isfinite(deviation) && deviation > 0.0, path, ": a deviation of ",
                          deviation, ", expected a positive number");
  }
}

}  // namespace atomtrack::weights_format
