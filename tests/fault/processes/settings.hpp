// Settings: what the command line tells a worker.
#pragma once

#include <accounting/accounting.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace accounting::testing {

struct WorkerSettings {
  std::string command;
  std::string url;
  std::string log;   ///< a directory
  std::string pace;  ///< a file of auditors whom players wait for
  std::string name = "w";
  std::uint64_t seed = 1;
  std::int64_t seconds = 0;     ///< 0: until `operations` are done, or for ever
  std::int64_t operations = 0;  ///< by each thread; 0: until the time is over, or for ever
  bool warm_up = false;         ///< every connection first, and shown before and after the work
  std::int64_t linger = 0;      ///< seconds with the books open after the work
  std::int64_t accounts = 4;
  std::int64_t grants = 120;  ///< of a thousand calls, how many give or move credits
  std::int64_t threads = 1;
  std::int64_t die_at_write = 0;  ///< of SQLite; 0: do not
  std::int64_t every = 1;         ///< which of the calls an audit repeats
  std::chrono::milliseconds session_ttl = std::chrono::hours(1);
  std::chrono::milliseconds patience = std::chrono::seconds(60);
};

/// Reads `COMMAND URL --name value …`; throws std::runtime_error for anything else.
WorkerSettings read_settings(int count, char** arguments);

Options options_of(const WorkerSettings& settings);

}  // namespace accounting::testing
