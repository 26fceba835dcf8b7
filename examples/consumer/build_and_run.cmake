# SPDX-License-Identifier: MIT
# Installs atomtrack from its build folder into a scratch place, builds the consumer against it, and runs it.
set(prefix "${BUILD}/consumer/prefix")
function(step)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "failed: ${ARGN}")
  endif()
endfunction()
file(REMOVE_RECURSE "${BUILD}/consumer")
step("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${prefix}")
step("${CMAKE_COMMAND}" -S "${SOURCE}" -B "${BUILD}/consumer/build" "-DCMAKE_PREFIX_PATH=${prefix}" -DCMAKE_BUILD_TYPE=Release)
step("${CMAKE_COMMAND}" --build "${BUILD}/consumer/build")
step("${BUILD}/consumer/build/track_pixels")
