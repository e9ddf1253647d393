// Changes: what a decision wants stored. New rows, and relative changes of rows that were loaded.
#pragma once

#include "domain/state.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace accounting::domain {

/// How an entry of each kind moves credits between the five places of an allocation; each number
/// is multiplied with the entry's amount.
struct Effect {
  std::int64_t remaining = 0;
  std::int64_t held = 0;
  std::int64_t consumed = 0;
  std::int64_t revoked = 0;
  std::int64_t moved = 0;
};

/// The rule of each kind; for every kind but `allocate` the effect adds up to 0.
constexpr Effect effect_of(EntryKind kind) {
  switch (kind) {
    case EntryKind::allocate:
      return {.remaining = 1};
    case EntryKind::deduct:
    case EntryKind::charge:
    case EntryKind::overage:
      return {.remaining = -1, .consumed = 1};
    case EntryKind::hold:
      return {.remaining = -1, .held = 1};
    case EntryKind::settle:
      return {.held = -1, .consumed = 1};
    case EntryKind::refund:
      return {.remaining = 1, .held = -1};
    case EntryKind::move:
      return {.held = -1, .moved = 1};
    case EntryKind::revoke:
      return {.remaining = -1, .revoked = 1};
  }
  return {};
}

struct AllocationChange {
  std::string user_id;
  std::int64_t id = 0;
  Effect change;                        ///< in credits, added to what is stored
  std::optional<Timestamp> revoked_at;  ///< set where this change revokes it
  std::optional<std::string> revoked_by;
};

/// What changes of an open session while no credit of its account moves.
struct SessionProgress {
  Tokens estimated_tokens;
  std::optional<Tokens> reported_tokens;
  Timestamp last_activity_at;

  friend bool operator==(const SessionProgress&, const SessionProgress&) = default;
};

inline SessionProgress progress_of(const StreamingSession& session) {
  return {.estimated_tokens = session.estimated_tokens,
          .reported_tokens = session.reported_tokens,
          .last_activity_at = session.last_activity_at};
}

struct SessionChange {
  SessionRecord record;
  std::optional<SessionProgress> before;  ///< none: it is new
};

/// A slice taken for a session: its place among the session's slices counts from 1.
struct NewSlice {
  std::string user_id;
  std::string session_id;
  std::int64_t position = 0;
  Slice slice;
};

struct RollupChange {
  std::string user_id;
  Timestamp day;  ///< its midnight
  std::string service;
  std::string model;  ///< empty unless chat
  std::int64_t records = 0;
  std::int64_t credits = 0;
};

struct CountersChange {
  std::string user_id;
  AccountCounters before;
  AccountCounters after;
};

struct NewKey {
  std::string user_id;
  KeyRecord record;
};

/// In each list the rows of an account stand together, and the accounts in one order.
struct Changes {
  std::vector<CountersChange> counters;
  std::vector<CreditAllocation> new_allocations;
  std::vector<AllocationChange> allocations;
  std::vector<SessionChange> sessions;
  std::vector<NewSlice> slices;
  std::vector<UsageRecord> usage_records;
  std::vector<CreditEntry> entries;
  std::vector<RollupChange> rollups;
  std::vector<NewKey> keys;

  [[nodiscard]] bool empty() const { return counters.empty() && sessions.empty() && keys.empty(); }
  /// Puts those of other accounts behind these.
  void append(Changes others);
  /// Makes room for what so many charges write.
  void reserve(std::size_t charges);
  /// Takes out those of the account that comes last.
  void drop_last(const std::string& user_id);
};

}  // namespace accounting::domain
