// The client of a worker: makes calls as a careful program would, and logs what came of them.
#pragma once

#include "call_log.hpp"

#include <accounting/accounting.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {

/// What clients did, in numbers.
struct Tally {
  std::int64_t calls = 0;
  std::int64_t acknowledged = 0;
  std::int64_t refused = 0;
  std::int64_t failed = 0;
  std::int64_t unknown = 0;
  std::int64_t retries = 0;
  std::chrono::microseconds longest{0};  ///< call, retries included

  void add(const Tally& other);
};

class LoggingClient {
 public:
  /// Repeats a call that may be repeated for as long as `patience`.
  LoggingClient(Accounting& books, const std::string& log, std::chrono::milliseconds patience);

  /// The answer; none where the call was refused or failed, or its outcome is unknown.
  std::optional<std::string> make(const WorkerCall& call);

  /// Makes charges in one call; throws where one is refused or fails.
  void make_together(const std::vector<WorkerCall>& charges);

  [[nodiscard]] const Tally& tally() const { return tally_; }

 private:
  std::optional<std::string> make_until(const WorkerCall& call,
                                        std::chrono::steady_clock::time_point give_up);

  Accounting& books_;
  CallLog log_;
  std::chrono::milliseconds patience_;
  Tally tally_;
};

}  // namespace accounting::testing
