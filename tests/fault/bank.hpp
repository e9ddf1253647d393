// Bank: many clients at work on the same accounts, with everything that moves credits, each call
// under a name of its own that may be made again.
#pragma once

#include "fault/call_log.hpp"
#include "fault/retrying_client.hpp"
#include "property/random.hpp"
#include "support/books.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace accounting::testing {

/// The policy of a bank's books: short lives, so that sessions go stale while others work on them.
Policy bank_policy();

/// Something that goes on beside the work of the bank, again and again, in a thread of its own.
struct Beside {
  std::function<void()> task;
  std::chrono::milliseconds pause = std::chrono::milliseconds(30);
};

class Bank {
 public:
  /// Opens the accounts, each with credits.
  Bank(Books& books, int accounts, std::uint64_t seed);

  /// Lets `workers` threads work for that long.
  void work(int workers, std::chrono::milliseconds time, const std::vector<Beside>& beside = {});

  [[nodiscard]] const CallLog& log() const { return log_; }
  [[nodiscard]] CallCounts& counts() { return counts_; }
  /// Credits that the books hold or took, less those that were ever granted, as one SQL statement
  /// over all accounts: 0 in every snapshot, or a transfer shows half done.
  [[nodiscard]] static std::string sql_of_what_is_missing();

 private:
  friend class Teller;

  [[nodiscard]] std::string user(std::int64_t number) const { return "u" + std::to_string(number); }

  Books& books_;
  int accounts_;
  std::uint64_t seed_;
  CallLog log_;
  CallCounts counts_;
};

}  // namespace accounting::testing
