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

/// The auditors' pace, which the tellers keep to: where the machine is too slow for both, they wait
/// until there have been as many audits as there should be, and then go on beside the next ones.
class AuditPace {
 public:
  explicit AuditPace(double audits_a_second) : audits_a_second_(audits_a_second) {}

  void begin() { began_ = std::chrono::steady_clock::now(); }
  void audited() { ++audits_; }
  /// True where there have been so many audits that the next one may wait.
  [[nodiscard]] bool is_ahead() const { return audits_ > 2 * due() + kLead; }
  [[nodiscard]] int audits() const { return audits_; }
  /// Waits while the auditors are behind, at most until `end`.
  void keep_to(std::chrono::steady_clock::time_point end);
  /// How long all tellers waited in all.
  [[nodiscard]] std::chrono::milliseconds waited() const {
    return std::chrono::milliseconds(waited_ms_);
  }

 private:
  // So that nobody waits for the first ones.
  static constexpr double kLead = 2;

  [[nodiscard]] bool is_behind() const { return audits_ + kLead < due(); }
  /// How many there should have been.
  [[nodiscard]] double due() const {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - began_;
    return audits_a_second_ * elapsed.count();
  }

  double audits_a_second_;
  std::chrono::steady_clock::time_point began_;
  std::atomic<int> audits_ = 0;
  std::atomic<std::int64_t> waited_ms_ = 0;
};

class Bank {
 public:
  /// Opens the accounts, each with credits.
  Bank(Books& books, int accounts, std::uint64_t seed);

  /// Lets `workers` threads work for that long; at a pace, where there is one.
  void work(int workers, std::chrono::milliseconds time, const std::vector<Beside>& beside = {},
            AuditPace* pace = nullptr);

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
