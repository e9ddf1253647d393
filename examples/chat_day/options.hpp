// Options: what the command line asks for.
#pragma once

#include "trace.hpp"

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace chat_day {

/// The command line asks for something that there is not. The program ends with code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Options {
  std::optional<std::string> trace;     ///< none: a generated day
  std::optional<std::string> database;  ///< none: a new SQLite file
  std::int64_t users = 500;
  std::int64_t aborts_per_million = 50'000;
  std::optional<std::int64_t> requests;  ///< none: all of the trace
  Malformed malformed = Malformed::refuse;
  bool json = false;
  bool help = false;
};

/// Reads `--name value` and `--name=value`. Throws UsageError.
Options parse_options(const std::vector<std::string>& arguments);

/// What `--help` prints.
extern const char* const help_text;

}  // namespace chat_day
