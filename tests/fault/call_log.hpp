// CallLog: what the clients of one set of books were told. They alone know it, so they alone can
// judge I7: what was acknowledged is there, and what is there was acknowledged or left in doubt.
#pragma once

#include "support/books.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace accounting::testing {

/// Thread-safe. A call's name stands in what it stores: in the metadata of a charge, in the notes
/// of an allocation, as the session's id. No name may begin another.
class CallLog {
 public:
  struct Totals {
    std::size_t charges = 0;
    std::size_t grants = 0;
    std::size_t transfers = 0;
    std::size_t sessions = 0;
    std::size_t ends = 0;
    std::size_t in_doubt = 0;
  };

  void charged(const Charge& charge);
  /// Credits that came into being.
  void granted(const CreditAllocation& allocation);
  /// Credits that were deducted from one account and allocated to another in one transaction.
  void transferred(const std::string& from, const CreditAllocation& to);
  void began(const StreamingSession& session);
  void ended(const Settlement& settlement);
  /// A call whose outcome its client never learned.
  void in_doubt(const std::string& call);

  [[nodiscard]] Totals totals() const;
  /// Fails a check for everything that was lost, or is there and was never acknowledged.
  void check_nothing_lost(Accounting& books) const;

 private:
  using Place = std::pair<std::string, std::int64_t>;  ///< account and number
  using SessionName = std::pair<std::string, std::string>;

  /// What one look at the books comes upon.
  struct Found {
    std::size_t charges = 0;
    std::size_t settlements = 0;
    std::size_t allocations = 0;
    std::int64_t credits = 0;  ///< still there, revoked, or collected for use
  };
  void check_usage(Accounting& books, const std::string& user_id, Found& found) const;
  void check_allocations(Accounting& books, const std::string& user_id, Found& found) const;
  void check_deductions(Accounting& books, const std::string& user_id) const;
  /// Answers how many sessions have ended.
  std::size_t check_sessions(Accounting& books) const;
  /// True where a call in doubt is named in the text.
  [[nodiscard]] bool may_be_there(const std::string& text) const;

  mutable std::mutex mutex_;
  std::map<Place, UsageRecord> charges_;
  std::map<Place, CreditAllocation> allocations_;
  std::map<std::string, std::int64_t> deducted_;  ///< by transfers, by account
  std::map<SessionName, StreamingSession> sessions_;
  std::map<SessionName, Settlement> ends_;
  std::set<std::string> in_doubt_;
  std::int64_t granted_credits_ = 0;
  std::size_t transfers_ = 0;
};

std::string to_string(const CallLog::Totals& totals);

}  // namespace accounting::testing
