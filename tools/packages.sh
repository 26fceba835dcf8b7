# SPDX-License-Identifier: MIT
# Sourced by tools/demo and tools/test: makes sure that what the build needs is installed (Debian 12, Ubuntu).

atomtrack_packages="g++ cmake ninja-build pkg-config libhdf5-dev libopenblas-openmp-dev libdnnl-dev libopencv-dev libcli11-dev nlohmann-json3-dev libpugixml-dev libopenmpi-dev openmpi-bin doctest-dev"

atomtrack_install() {
  local missing="" package
  if ! command -v dpkg-query > /dev/null; then
    echo "This is not a Debian or Ubuntu machine: install the counterparts of these packages by hand: $atomtrack_packages" >&2
    return 0
  fi
  for package in $atomtrack_packages "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2> /dev/null | grep -q "ok installed" || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  local as_root=""
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo > /dev/null; then
      echo "These packages are missing, and without root or sudo this script cannot install them. Ask an administrator for:" >&2
      echo "  apt-get install$missing" >&2
      return 1
    fi
    as_root="sudo"
  fi
  echo "Installing:$missing"
  $as_root apt-get update -qq || echo "apt-get update failed; trying with the lists at hand" >&2
  # shellcheck disable=SC2086  # a list of words
  DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing > /dev/null || {
    echo "apt-get could not install:$missing" >&2
    return 1
  }
}
