// Usage: what was used, what it cost, and statistics over it.
#pragma once

#include <accounting/export.hpp>
#include <accounting/types.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace accounting {

namespace services {
class Context;
}

struct UsageRecord {
  std::int64_t id = 0;  ///< counts from 1 within the account
  std::string user_id;
  Timestamp timestamp;
  std::string service;
  std::string operation;
  std::int64_t credits = 0;             ///< what the use cost
  std::int64_t collected_credits = 0;   ///< what allocations paid for it
  std::optional<std::string> metadata;  ///< JSON text with sorted members; none: none was given

  friend bool operator==(const UsageRecord&, const UsageRecord&) = default;
};

/// Credits by name.
using CreditsByName = std::map<std::string, std::int64_t>;

/// One account's use over a range. Each map adds up to the total, but `by_model`, which counts the
/// services `chat` and `chat-…` only.
struct UserStats {
  std::int64_t total_records = 0;
  std::int64_t total_credits = 0;
  CreditsByName by_service;
  CreditsByName by_day;                      ///< UTC days, "YYYY-MM-DD"
  CreditsByName by_model;                    ///< the operation of chat records, however they ended
  std::vector<UsageRecord> recent_activity;  ///< the newest 10 of the range, newest first

  friend bool operator==(const UserStats&, const UserStats&) = default;
};

/// All accounts' use over a range.
struct SystemStats {
  std::int64_t total_records = 0;
  std::int64_t total_credits = 0;
  CreditsByName by_user;
  CreditsByName by_service;
  CreditsByName by_day;
  CreditsByName by_model;

  friend bool operator==(const SystemStats&, const SystemStats&) = default;
};

struct RecordRequest {
  std::string user_id = {};
  std::string service;       ///< 1 … 50 bytes
  std::string operation;     ///< 1 … 100 bytes
  std::int64_t credits = 0;  ///< 1 … 10^15
  std::optional<std::string> metadata =
      std::nullopt;  ///< JSON, ≤ 64 KiB, 64 levels, integers of 64 bits
  std::optional<std::string> idempotency_key = std::nullopt;  ///< 1 … 255 bytes
};

/// The range [start, end), exact to the microsecond; none: unbounded on that side.
struct ListUsageRequest {
  std::string user_id = {};
  std::optional<Timestamp> start = std::nullopt;
  std::optional<Timestamp> end = std::nullopt;
  std::int64_t after = 0;    ///< records with a larger id
  std::int64_t limit = 100;  ///< 1 … 1,000
};

struct UserStatsRequest {
  std::string user_id = {};
  std::optional<Timestamp> start = std::nullopt;
  std::optional<Timestamp> end = std::nullopt;
};

struct SystemStatsRequest {
  std::optional<Timestamp> start = std::nullopt;
  std::optional<Timestamp> end = std::nullopt;
};

/// Usage records. Thread-safe; a cheap handle that may be copied and that keeps the books open.
/// Every call may throw InvalidArgument, NotFound and StoreError.
class ACCOUNTING_EXPORT Usage {
 public:
  explicit Usage(std::shared_ptr<const services::Context> context);

  /// Records a use and takes no credits for it; `Credits::charge` does both.
  /// Errors: Conflict (the key was used for another request).
  UsageRecord record(const RecordRequest& request);
  /// All of the records or none of them, for imports; answers how many there were.
  std::int64_t record_many(const std::vector<RecordRequest>& requests);

  /// Records of an account within the range, oldest first.
  [[nodiscard]] std::vector<UsageRecord> list(const ListUsageRequest& request = {}) const;

  /// Errors: InvalidArgument where start > end.
  [[nodiscard]] UserStats user_stats(const UserStatsRequest& request = {}) const;
  [[nodiscard]] SystemStats system_stats(const SystemStatsRequest& request = {}) const;

 private:
  std::shared_ptr<const services::Context> context_;
};

}  // namespace accounting
