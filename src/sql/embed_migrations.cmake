# Checks the migrations in the folder MIGRATIONS, NNNN_name.{postgresql,sqlite}.sql: numbered
# 1, 2, … without gaps, each for both databases. With OUTPUT, writes them as C++ into that file.
#
#   cmake -DMIGRATIONS=folder [-DOUTPUT=file.cpp] -P embed_migrations.cmake

cmake_minimum_required(VERSION 3.25)

# Sets `variable` to the bytes of `path` as a C++ character array's elements. An array, because
# compilers limit the length of a string literal.
function(read_as_characters path variable)
  file(READ "${path}" hex HEX)
  if(hex STREQUAL "")
    message(FATAL_ERROR "The migration ${path} is empty")
  endif()
  string(REGEX REPLACE "(................................)" "\\1\n    " hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," hex "${hex}")
  string(STRIP "${hex}" hex)
  set(${variable} "${hex}" PARENT_SCOPE)
endfunction()

file(GLOB files RELATIVE "${MIGRATIONS}" "${MIGRATIONS}/*.sql")
set(stems "")
foreach(file IN LISTS files)
  if(NOT file MATCHES "^([0-9][0-9][0-9][0-9]_[a-z0-9_]+)\\.(postgresql|sqlite)\\.sql$")
    message(FATAL_ERROR "${file}: a migration is named NNNN_name.postgresql.sql or "
      "NNNN_name.sqlite.sql")
  endif()
  list(APPEND stems "${CMAKE_MATCH_1}")
endforeach()
list(REMOVE_DUPLICATES stems)
list(SORT stems)

set(arrays "")
set(rows "")
set(expected 0)
foreach(stem IN LISTS stems)
  math(EXPR expected "${expected} + 1")
  string(REGEX MATCH "^([0-9]+)_(.*)$" _ "${stem}")
  set(name "${CMAKE_MATCH_2}")
  string(REGEX REPLACE "^0+" "" version "${CMAKE_MATCH_1}")
  if(NOT version STREQUAL expected)
    message(FATAL_ERROR "Migration ${stem}: migrations count 1, 2, … without gaps, each number "
      "once; ${expected} was expected here")
  endif()

  foreach(database IN ITEMS postgresql sqlite)
    set(path "${MIGRATIONS}/${stem}.${database}.sql")
    if(NOT EXISTS "${path}")
      message(FATAL_ERROR "Migration ${stem} has no ${database} half: ${path}")
    endif()
    if(DEFINED OUTPUT)
      read_as_characters("${path}" characters)
      string(APPEND arrays "const char ${database}_${version}[] = {\n    ${characters}};\n\n")
    endif()
  endforeach()

  string(APPEND rows
    "      {${version}, \"${name}\",\n"
    "       {postgresql_${version}, sizeof postgresql_${version}},\n"
    "       {sqlite_${version}, sizeof sqlite_${version}}},\n")
endforeach()

if(DEFINED OUTPUT)
  file(WRITE "${OUTPUT}" "// Written by embed_migrations.cmake.
#include \"sql/embedded_migrations.hpp\"

namespace accounting::sql {

namespace {

${arrays}}  // namespace

const std::vector<EmbeddedMigration>& embedded_migrations() {
  static const std::vector<EmbeddedMigration> migrations = {
${rows}  };
  return migrations;
}

}  // namespace accounting::sql
")
endif()
