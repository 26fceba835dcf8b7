# SPDX-License-Identifier: MIT
# Finds what atomtrack builds on and says, per optional part, whether it is on and why (ATOMTRACK_HAS_<PART>, ATOMTRACK_WHY_<PART>).

find_package(PkgConfig QUIET)

# atomtrack_decide(PART found reason): applies the AUTO/ON/OFF option of PART.
function(atomtrack_decide part found reason)
  set(wish "${ATOMTRACK_${part}}")
  if(wish STREQUAL "OFF")
    set(has FALSE)
    set(why "switched off")
  elseif(found)
    set(has TRUE)
    set(why "${reason}")
  elseif(wish STREQUAL "ON")
    message(FATAL_ERROR "ATOMTRACK_${part}=ON, but: ${reason}")
  else()
    set(has FALSE)
    set(why "${reason}")
  endif()
  set(ATOMTRACK_HAS_${part} ${has} PARENT_SCOPE)
  set(ATOMTRACK_WHY_${part} "${why}" PARENT_SCOPE)
endfunction()

# ---- Compiler options shared by library, command and tests -----------------------------------------------------------
add_library(atomtrack_options INTERFACE)
# -ffp-contract=off: the reference backend and the goldens are compared bit by bit in places, and a fused multiply-add
# that one compiler takes and another does not would make results depend on it. BLAS and oneDNN use FMA all the same.
target_compile_options(atomtrack_options INTERFACE -Wall -Wextra -Wshadow -ffp-contract=off)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees overlapping copies in std::string's operator+ that are not there (its bug 105651).
  target_compile_options(atomtrack_options INTERFACE -Wno-restrict)
endif()
if(ATOMTRACK_WARNINGS_AS_ERRORS)
  target_compile_options(atomtrack_options INTERFACE -Werror)
endif()
if(ATOMTRACK_SANITIZE)
  add_compile_options(-fsanitize=${ATOMTRACK_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ATOMTRACK_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(atomtrack_options INTERFACE -Wno-maybe-uninitialized)  # instrumented code confuses that analysis
  endif()
endif()

# ---- HDF5 (weights) --------------------------------------------------------------------------------------------------
set(HDF5_PREFER_PARALLEL FALSE)
find_package(HDF5 REQUIRED COMPONENTS C)
add_library(atomtrack_hdf5 INTERFACE)
target_include_directories(atomtrack_hdf5 SYSTEM INTERFACE ${HDF5_INCLUDE_DIRS})
target_link_libraries(atomtrack_hdf5 INTERFACE ${HDF5_LIBRARIES})
target_compile_definitions(atomtrack_hdf5 INTERFACE ${HDF5_DEFINITIONS})

# ---- CPU backend: BLAS, OpenMP, oneDNN -------------------------------------------------------------------------------
add_library(atomtrack_cpu_dependencies INTERFACE)

if(NOT ATOMTRACK_OPENMP STREQUAL "OFF")
  find_package(OpenMP QUIET COMPONENTS CXX)
endif()
if(OpenMP_CXX_FOUND)
  atomtrack_decide(OPENMP TRUE "OpenMP ${OpenMP_CXX_VERSION}")
else()
  atomtrack_decide(OPENMP FALSE "the compiler has no OpenMP")
endif()
if(ATOMTRACK_HAS_OPENMP)
  target_link_libraries(atomtrack_cpu_dependencies INTERFACE OpenMP::OpenMP_CXX)
endif()

# One thread pool, not three: oneDNN and our loops run on OpenMP, so OpenBLAS must be the OpenMP build. Debian keeps the flavours side by
# side and lets `update-alternatives` choose; the folder is linked by its full path, which becomes the run path.
if(ATOMTRACK_HAS_OPENMP)
  set(blas_flavours openblas-openmp)
else()
  set(blas_flavours openblas-serial openblas-pthread openblas-openmp)
endif()
find_library(ATOMTRACK_OPENBLAS_LIBRARY openblas PATH_SUFFIXES ${blas_flavours})
find_path(ATOMTRACK_CBLAS_INCLUDE cblas.h PATH_SUFFIXES ${blas_flavours} openblas)
if(NOT ATOMTRACK_OPENBLAS_LIBRARY OR NOT ATOMTRACK_CBLAS_INCLUDE)
  message(FATAL_ERROR "OpenBLAS was not found: on Debian and Ubuntu install libopenblas-openmp-dev")
endif()
set(ATOMTRACK_WHY_BLAS "${ATOMTRACK_OPENBLAS_LIBRARY}")
target_link_libraries(atomtrack_cpu_dependencies INTERFACE "${ATOMTRACK_OPENBLAS_LIBRARY}")
target_include_directories(atomtrack_cpu_dependencies SYSTEM INTERFACE "${ATOMTRACK_CBLAS_INCLUDE}")

# Found by hand: the package's own configuration on Debian asks for OpenCL, which only its GPU part needs.
if(NOT ATOMTRACK_ONEDNN STREQUAL "OFF")
  find_library(ATOMTRACK_ONEDNN_LIBRARY dnnl)
  find_path(ATOMTRACK_ONEDNN_INCLUDE oneapi/dnnl/dnnl.hpp)
endif()
if(ATOMTRACK_ONEDNN_LIBRARY AND ATOMTRACK_ONEDNN_INCLUDE)
  file(STRINGS "${ATOMTRACK_ONEDNN_INCLUDE}/oneapi/dnnl/dnnl_version.h" onednn_version REGEX "define DNNL_VERSION_(MAJOR|MINOR|PATCH)")
  string(REGEX MATCHALL "[0-9]+" onednn_version "${onednn_version}")
  string(REPLACE ";" "." onednn_version "${onednn_version}")
  atomtrack_decide(ONEDNN TRUE "oneDNN ${onednn_version}")
else()
  atomtrack_decide(ONEDNN FALSE "oneDNN was not found: on Debian and Ubuntu install libdnnl-dev; convolutions go through BLAS")
endif()
if(ATOMTRACK_HAS_ONEDNN)
  target_link_libraries(atomtrack_cpu_dependencies INTERFACE "${ATOMTRACK_ONEDNN_LIBRARY}")
  target_include_directories(atomtrack_cpu_dependencies SYSTEM INTERFACE "${ATOMTRACK_ONEDNN_INCLUDE}")
  target_compile_definitions(atomtrack_cpu_dependencies INTERFACE ATOMTRACK_WITH_ONEDNN)
endif()

# ---- Tools -----------------------------------------------------------------------------------------------------------
if(NOT ATOMTRACK_TOOLS STREQUAL "OFF")
  find_package(OpenCV QUIET COMPONENTS core imgproc imgcodecs videoio highgui)
  find_package(CLI11 QUIET CONFIG)
  find_package(nlohmann_json QUIET CONFIG)
endif()
if(OpenCV_FOUND AND CLI11_FOUND AND nlohmann_json_FOUND)
  atomtrack_decide(TOOLS TRUE "OpenCV ${OpenCV_VERSION}, CLI11 ${CLI11_VERSION}")
else()
  atomtrack_decide(TOOLS FALSE "OpenCV, CLI11 or nlohmann-json was not found: on Debian and Ubuntu install libopencv-dev libcli11-dev nlohmann-json3-dev")
endif()

# ---- Tests -----------------------------------------------------------------------------------------------------------
if(NOT ATOMTRACK_TESTS STREQUAL "OFF")
  find_package(doctest QUIET CONFIG)
endif()
if(NOT PROJECT_IS_TOP_LEVEL)
  atomtrack_decide(TESTS FALSE "atomtrack is part of another project")
elseif(doctest_FOUND)
  atomtrack_decide(TESTS TRUE "doctest ${doctest_VERSION}")
else()
  atomtrack_decide(TESTS FALSE "doctest was not found: on Debian and Ubuntu install doctest-dev")
endif()
