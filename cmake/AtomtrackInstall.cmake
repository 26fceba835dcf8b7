# SPDX-License-Identifier: MIT
# `cmake --install`: the library, its headers, the command, the weights, and the package that find_package(atomtrack) finds.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS atomtrack atomtrack_cpu_dependencies atomtrack_cuda_dependencies atomtrack_hdf5 EXPORT atomtrackTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY include/atomtrack DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.hpp")
if(ATOMTRACK_HAS_TOOLS)
  install(TARGETS atomtrack_command RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()
if(EXISTS "${PROJECT_SOURCE_DIR}/weights/atomtrack.h5")
  install(FILES weights/atomtrack.h5 DESTINATION "${CMAKE_INSTALL_DATADIR}/atomtrack")
endif()

set(package "${CMAKE_INSTALL_LIBDIR}/cmake/atomtrack")
install(EXPORT atomtrackTargets NAMESPACE atomtrack:: DESTINATION "${package}")
configure_package_config_file(cmake/atomtrackConfig.cmake.in "${CMAKE_CURRENT_BINARY_DIR}/atomtrackConfig.cmake" INSTALL_DESTINATION "${package}")
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/atomtrackConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/atomtrackConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/atomtrackConfigVersion.cmake" DESTINATION "${package}")
