// Programs: other programs that tests run, such as those that come with a PostgreSQL server.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {

struct ProgramResult {
  int exit_code = 0;
  std::string output;  ///< of stdout and stderr
};

/// Runs a program to its end, without a shell. `input` becomes its stdin. Throws
/// std::runtime_error where it could not be started.
ProgramResult run_program(const std::vector<std::string>& command, const std::string& input = {});

/// A program of the newest PostgreSQL server that is installed, such as `pg_dump`; or
/// `isolationtester`. None, said loudly in the test's output, where there is none.
std::optional<std::filesystem::path> server_program_or_skip(const std::string& name);

/// The whole file; empty where there is none.
std::string read_text(const std::filesystem::path& path);
void write_text(const std::filesystem::path& path, const std::string& text);

}  // namespace accounting::testing
