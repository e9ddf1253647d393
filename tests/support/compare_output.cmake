# Runs PROGRAM and compares its standard output with the stored file EXPECTED.
#
#   cmake -DPROGRAM=program -DEXPECTED=file -P compare_output.cmake

execute_process(COMMAND "${PROGRAM}"
  OUTPUT_VARIABLE actual ERROR_VARIABLE errors RESULT_VARIABLE result)
file(READ "${EXPECTED}" expected)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} ended with ${result}:\n${errors}")
endif()
if(NOT actual STREQUAL expected)
  message(FATAL_ERROR "${PROGRAM} printed\n${actual}\nbut ${EXPECTED} has\n${expected}")
endif()
