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

function(atomtrack_cuda_on_host_compile target)
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_compile_options(${target} PRIVATE ${ARGN})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
  target_include_directories(${target} SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS} "${ATOMTRACK_CUDNN_INCLUDE}")
  target_compile_definitions(${target} PRIVATE ATOMTRACK_TEST_DATA="${CMAKE_CURRENT_SOURCE_DIR}/data" ATOMTRACK_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${target} PRIVATE atomtrack_options atomtrack_cpu_dependencies atomtrack_hdf5 doctest::doctest Threads::Threads)
endfunction()

# atomtrack_cuda_on_host_program(name kernels [compiler and linker flags]): the emulated backend, its own tests and those of the primitives.
function(atomtrack_cuda_on_host_program name program_kernels)
  add_executable(${name} ${backend} ${program_kernels} ${emulation_sources} $<TARGET_OBJECTS:atomtrack_conformance>)
  atomtrack_cuda_on_host_compile(${name} ${ARGN})
  target_link_options(${name} PRIVATE ${ARGN})
  # The library's file and not its target, whose dependencies hold the CUDA runtime and cuBLAS: what of them is not emulated shall not link. Its nvcc-built
  # objects stay in the archive, because the ones here define all that they do. cuDNN is the real one: its descriptors need no GPU.
  add_dependencies(${name} atomtrack)
  target_link_libraries(${name} PRIVATE $<TARGET_FILE:atomtrack> atomtrack_cpu_dependencies atomtrack_hdf5 "${ATOMTRACK_CUDNN_LIBRARY}")
endfunction()
atomtrack_cuda_on_host_program(atomtrack_cuda_on_host_tests "${kernels}")
# The product through the emulated device: the tracker against a recorded run and on a video, training, and what selftest asks.
if(ATOMTRACK_HAS_TOOLS)
  file(GLOB whole CONFIGURE_DEPENDS "${emulation}/whole/*.cpp")
  target_sources(atomtrack_cuda_on_host_tests PRIVATE ${whole} "${CMAKE_CURRENT_SOURCE_DIR}/tracker/trace_test.cpp"
    "${CMAKE_CURRENT_SOURCE_DIR}/training/synthetic_data.cpp" "${PROJECT_SOURCE_DIR}/tools/frame_source.cpp" "${PROJECT_SOURCE_DIR}/tools/gradient_cases.cpp"
    "${PROJECT_SOURCE_DIR}/tools/selftest_checks.cpp")
  if(ATOMTRACK_HAS_NCCL)
    target_sources(atomtrack_cuda_on_host_tests PRIVATE "${emulation}/several/nccl.cpp" "${emulation}/several/nccl_test.cpp")
  endif()
  target_include_directories(atomtrack_cuda_on_host_tests SYSTEM PRIVATE ${OpenCV_INCLUDE_DIRS} ${ATOMTRACK_NCCL_INCLUDE})
  add_dependencies(atomtrack_cuda_on_host_tests atomtrack_training)
  target_link_libraries(atomtrack_cuda_on_host_tests PRIVATE $<TARGET_FILE:atomtrack_training> $<TARGET_FILE:atomtrack> atomtrack_training_dependencies atomtrack_hdf5 ${OpenCV_LIBS})
endif()
# Device memory and shared memory have poisoned zones around what is allocated; the rest of the library is what the asan preset is for.
atomtrack_cuda_on_host_program(atomtrack_cuda_on_host_asan_tests "${kernels}" -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
  -fsanitize-sections=cuda_on_host_shared -fno-omit-frame-pointer -Wno-maybe-uninitialized)
# The thread sanitizer's instrumentation without the sanitizer: its hooks are the race detector's.
add_library(atomtrack_cuda_on_host_race_kernels OBJECT ${kernels})
atomtrack_cuda_on_host_compile(atomtrack_cuda_on_host_race_kernels -g -fsanitize=thread)
atomtrack_cuda_on_host_program(atomtrack_cuda_on_host_race_tests "$<TARGET_OBJECTS:atomtrack_cuda_on_host_race_kernels>")
target_sources(atomtrack_cuda_on_host_race_tests PRIVATE "${emulation}/races/race_detector.cpp" "${emulation}/races/race_test.cpp")

function(atomtrack_cuda_on_host_test name program files)
  add_test(NAME "cuda/on_host_${name}" COMMAND ${program} "--source-file=${files}")
  set_tests_properties("cuda/on_host_${name}" PROPERTIES FAIL_REGULAR_EXPRESSION "test cases: +0 "
    ENVIRONMENT "OMP_NUM_THREADS=1;OMP_WAIT_POLICY=passive;ASAN_OPTIONS=detect_leaks=0;${ARGN}")
endfunction()
set(own_tests "*/cuda_on_host/emulator_test.cpp,*/cuda_on_host/libraries_test.cpp")
atomtrack_cuda_on_host_test(emulator atomtrack_cuda_on_host_tests "${own_tests}")
atomtrack_cuda_on_host_test(faults atomtrack_cuda_on_host_tests "*/cuda_on_host/faults_test.cpp")
foreach(order IN ITEMS forward reverse shuffled)
  atomtrack_cuda_on_host_test(${order} atomtrack_cuda_on_host_tests "*/tests/primitives/*" ATOMTRACK_CUDA_ORDER=${order})
endforeach()
atomtrack_cuda_on_host_test(lazy atomtrack_cuda_on_host_tests "*/tests/primitives/*" ATOMTRACK_CUDA_LAZY=1)
if(ATOMTRACK_HAS_TOOLS)
  atomtrack_cuda_on_host_test(trace atomtrack_cuda_on_host_tests "*/tests/tracker/trace_test.cpp")
  atomtrack_cuda_on_host_test(trace_lazy atomtrack_cuda_on_host_tests "*/tests/tracker/trace_test.cpp" ATOMTRACK_CUDA_LAZY=1)
  foreach(part IN ITEMS gradcheck selftest tracker training)
    atomtrack_cuda_on_host_test(whole_${part} atomtrack_cuda_on_host_tests "*/whole/${part}_test.cpp")
  endforeach()
endif()
if(ATOMTRACK_HAS_TOOLS AND ATOMTRACK_HAS_NCCL)
  # Processes refuse to be started by root unless they are told twice that this is meant.
  add_test(NAME cuda/on_host_nccl COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} 2 --oversubscribe $<TARGET_FILE:atomtrack_cuda_on_host_tests> "--source-file=*/several/nccl_test.cpp")
  set_tests_properties(cuda/on_host_nccl PROPERTIES FAIL_REGULAR_EXPRESSION "test cases: +0 "
    ENVIRONMENT "OMP_NUM_THREADS=1;OMP_WAIT_POLICY=passive;OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1")
endif()
atomtrack_cuda_on_host_test(asan_emulator atomtrack_cuda_on_host_asan_tests "${own_tests}")
atomtrack_cuda_on_host_test(asan_faults atomtrack_cuda_on_host_asan_tests "*/cuda_on_host/faults_test.cpp")
atomtrack_cuda_on_host_test(asan atomtrack_cuda_on_host_asan_tests "*/tests/primitives/*")
atomtrack_cuda_on_host_test(races_detector atomtrack_cuda_on_host_race_tests "*/tests/cuda_on_host/races/*")
atomtrack_cuda_on_host_test(races atomtrack_cuda_on_host_race_tests "*/tests/primitives/*")
