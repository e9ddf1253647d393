// Invariants: what must hold of an account's rows for every credit to be accounted for. The pure
// half of `verify`.
#pragma once

#include "accounting/accounting.hpp"
#include "domain/state.hpp"

#include <string>
#include <vector>

namespace accounting::domain {

struct RollupRow {
  std::string day;  ///< UTC, YYYY-MM-DD
  std::string service;
  std::string model;
  std::int64_t records = 0;
  std::int64_t credits = 0;

  friend bool operator==(const RollupRow&, const RollupRow&) = default;
};

/// Everything that is stored of one account, from one snapshot.
struct AccountRows {
  std::string user_id;
  AccountCounters counters;
  std::vector<CreditAllocation> allocations;  ///< by id
  std::vector<SessionRecord> sessions;        ///< with their slices
  std::vector<UsageRecord> usage_records;     ///< by id
  std::vector<CreditEntry> entries;           ///< by sequence
  std::vector<KeyRecord> keys;
  std::vector<RollupRow> rollups;
  /// False where the account itself is gone and these rows are left over.
  bool known = true;
  /// Rows that could not be read, or that stand where none can, as the loader met them.
  std::vector<Problem> unreadable;
};

/// I1 to I6 (see docs/invariants.md); each problem names the rows. Empty where all is well.
///   I1 each allocation: total = remaining + held + consumed + revoked + moved, as its entries say
///   I2 the consumed credits are the collected credits of usage records and the plain deductions
///   I3 each ended session: what was held and what the balance gave went where it says
///   I4 the journal, replayed in order, takes in burn order, and nothing at or after expiry
///   I5 one effect for each idempotency key
///   I6 the rollups are the usage records, grouped
std::vector<Problem> check_invariants(const AccountRows& rows);

/// Rows that a plain aggregation of usage records comes to.
std::vector<RollupRow> roll_up(const std::vector<UsageRecord>& records);

}  // namespace accounting::domain
