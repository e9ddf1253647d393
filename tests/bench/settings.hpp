// Settings: what one run of accounting_bench does, from its command line.
#pragma once

#include <accounting/accounting.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace accounting::bench {

struct Settings {
  std::string command;
  std::string database;           ///< URL, as the library takes it
  std::string user;               ///< the one account to work on; empty: those below
  std::int64_t accounts = 1'000;  ///< how many accounts the calls are spread over; 1: a hot one
  std::int64_t allocations = 1;   ///< `prepare`: of each account
  std::int64_t callers = 1;       ///< threads
  std::int64_t pool_size = 4;     ///< as in the library's options
  std::int64_t batch = 500;       ///< requests a call, where a call takes several
  double seconds = 2;             ///< measured
  double warm_up = 0.5;           ///< seconds before, which do not count
  std::int64_t from_hours = 0;  ///< `user_stats`: the range's ends, in hours after `stats_origin`;
  std::int64_t to_hours = 0;    ///< both 0: everything
  std::int64_t port = 0;        ///< `proxy`: the server's, on this machine
  std::int64_t delay = 500;     ///< `proxy`: microseconds each way
};

/// Throws std::runtime_error where the command line is not `COMMAND [--option value]...`.
Settings read_settings(int count, char** arguments);

Accounting open_books(const Settings& settings);

}  // namespace accounting::bench
