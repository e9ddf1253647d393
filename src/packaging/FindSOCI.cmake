# Finds SOCI and makes SOCI::Core and SOCI::SQLite3.
#
# SOCI 4.1 and later install a CMake package with these targets; it is tried first. Debian's 4.0
# has none, so its libraries are looked for, the shared ones: its static ones are not
# position-independent.
#
# Sets SOCI_FOUND, SOCI_VERSION and SOCI_NEEDS_BOOST (its headers include Boost's).

set(SOCI_NEEDS_BOOST FALSE)

if(NOT TARGET SOCI::Core)
  find_package(SOCI CONFIG QUIET COMPONENTS ${SOCI_FIND_COMPONENTS})
endif()

if(TARGET SOCI::Core AND TARGET SOCI::SQLite3)
  set(SOCI_FOUND TRUE)
  return()
endif()

include(FindPackageHandleStandardArgs)

find_path(SOCI_INCLUDE_DIR soci/soci.h)
find_library(SOCI_CORE_LIBRARY NAMES soci_core)
find_library(SOCI_SQLITE3_LIBRARY NAMES soci_sqlite3)
mark_as_advanced(SOCI_INCLUDE_DIR SOCI_CORE_LIBRARY SOCI_SQLITE3_LIBRARY)

if(SOCI_INCLUDE_DIR)
  file(STRINGS "${SOCI_INCLUDE_DIR}/soci/version.h" _soci_version
    REGEX "^#define SOCI_LIB_VERSION ")
  if(_soci_version MATCHES "\"([0-9]+)_([0-9]+)_?([0-9]*)\"")
    set(SOCI_VERSION "${CMAKE_MATCH_1}.${CMAKE_MATCH_2}.${CMAKE_MATCH_3}")
    string(REGEX REPLACE "\\.$" "" SOCI_VERSION "${SOCI_VERSION}")
  endif()
  unset(_soci_version)

  if(EXISTS "${SOCI_INCLUDE_DIR}/soci/soci-config.h")
    file(STRINGS "${SOCI_INCLUDE_DIR}/soci/soci-config.h" _soci_boost
      REGEX "^#define SOCI_HAVE_BOOST$")
    if(_soci_boost)
      set(SOCI_NEEDS_BOOST TRUE)
    endif()
    unset(_soci_boost)
  endif()
endif()

find_package_handle_standard_args(SOCI
  REQUIRED_VARS
    SOCI_CORE_LIBRARY SOCI_SQLITE3_LIBRARY SOCI_INCLUDE_DIR
  VERSION_VAR SOCI_VERSION
  REASON_FAILURE_MESSAGE "(Debian: libsoci-dev)")

if(SOCI_FOUND)
  # The backend's header includes sqlite3.h: who compiles against it links SQLite::SQLite3 as well.
  add_library(SOCI::Core UNKNOWN IMPORTED)
  set_target_properties(SOCI::Core PROPERTIES
    IMPORTED_LOCATION "${SOCI_CORE_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${SOCI_INCLUDE_DIR}")
  add_library(SOCI::SQLite3 UNKNOWN IMPORTED)
  set_target_properties(SOCI::SQLite3 PROPERTIES
    IMPORTED_LOCATION "${SOCI_SQLITE3_LIBRARY}"
    INTERFACE_LINK_LIBRARIES SOCI::Core)
endif()
