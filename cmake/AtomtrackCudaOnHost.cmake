# SPDX-License-Identifier: MIT
# The CUDA backend compiled for the host against an emulation of the device (tests/cuda_on_host), and the conformance tests run through it: no GPU needed.
# Included by tests/CMakeLists.txt.

set(ATOMTRACK_CUDA_ON_HOST AUTO CACHE STRING "test the CUDA backend on an emulated device (AUTO/ON/OFF)")
if(NOT ATOMTRACK_HAS_CUDA)
  atomtrack_decide(CUDA_ON_HOST FALSE "it needs the headers of the CUDA toolkit and cuDNN (ATOMTRACK_CUDA)")
elseif(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" OR NOT CMAKE_CXX_COMPILER_ID MATCHES "GNU")
  atomtrack_decide(CUDA_ON_HOST FALSE "the emulation is written for GCC on x86-64")
else()
  atomtrack_decide(CUDA_ON_HOST TRUE "the CUDA backend on an emulated device")
endif()
message(STATUS "CUDA_ON_HOST: ${ATOMTRACK_WHY_CUDA_ON_HOST}")
if(NOT ATOMTRACK_HAS_CUDA_ON_HOST)
  return()
endif()

set(emulation "${CMAKE_CURRENT_SOURCE_DIR}/cuda_on_host")
file(GLOB kernels CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/cuda/*.cu" "${emulation}/*.cu")
file(GLOB backend CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/cuda/*.cpp")
file(GLOB emulation_sources CONFIGURE_DEPENDS "${emulation}/*.cpp")
# These properties hold for the targets of this folder only: the library's own kernels stay nvcc's.
set_source_files_properties(${kernels} PROPERTIES LANGUAGE CXX OBJECT_DEPENDS "${emulation}/device_language.hpp"
  COMPILE_OPTIONS "-include;${emulation}/device_language.hpp" COMPILE_DEFINITIONS ATOMTRACK_CUDA_ON_HOST)

add_executable(atomtrack_cuda_on_host_tests ${backend} ${kernels} ${emulation_sources} $<TARGET_OBJECTS:atomtrack_conformance>)
target_compile_features(atomtrack_cuda_on_host_tests PRIVATE cxx_std_20)
target_include_directories(atomtrack_cuda_on_host_tests PRIVATE "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
target_include_directories(atomtrack_cuda_on_host_tests SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS} "${ATOMTRACK_CUDNN_INCLUDE}")
# The library's file and not its target, whose dependencies hold the CUDA runtime and cuBLAS: what of them is not emulated shall not link. Its nvcc-built
# objects stay in the archive, because the ones here define all that they do. cuDNN is the real one: its descriptors need no GPU.
add_dependencies(atomtrack_cuda_on_host_tests atomtrack)
target_link_libraries(atomtrack_cuda_on_host_tests PRIVATE atomtrack_options $<TARGET_FILE:atomtrack> atomtrack_cpu_dependencies atomtrack_hdf5
  "${ATOMTRACK_CUDNN_LIBRARY}" doctest::doctest Threads::Threads)

function(atomtrack_cuda_on_host_test name files)
  add_test(NAME "cuda/on_host_${name}" COMMAND atomtrack_cuda_on_host_tests "--source-file=${files}")
  set_tests_properties("cuda/on_host_${name}" PROPERTIES ENVIRONMENT "OMP_NUM_THREADS=1;OMP_WAIT_POLICY=passive;${ARGN}" FAIL_REGULAR_EXPRESSION "test cases: +0 ")
endfunction()
atomtrack_cuda_on_host_test(emulator "*/tests/cuda_on_host/*")
foreach(order IN ITEMS forward reverse shuffled)
  atomtrack_cuda_on_host_test(${order} "*/tests/primitives/*" ATOMTRACK_CUDA_ORDER=${order})
endforeach()
atomtrack_cuda_on_host_test(lazy "*/tests/primitives/*" ATOMTRACK_CUDA_LAZY=1)
