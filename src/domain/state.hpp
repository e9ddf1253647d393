// State: what was loaded of the books for the commands at hand.
#pragma once

#include "accounting/accounts.hpp"
#include "accounting/credits.hpp"
#include "accounting/options.hpp"
#include "accounting/pricing.hpp"
#include "accounting/sessions.hpp"
#include "domain/burn_order.hpp"
#include "domain/token_prices.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace accounting::domain {

/// What a decision needs to know of an allocation.
struct AllocationState {
  BurnPosition position;
  Timestamp effective_at;
  std::int64_t remaining = 0;
  bool revoked = false;

  /// May be taken from at `now`.
  [[nodiscard]] bool active(Timestamp now) const {
    return !revoked && remaining > 0 && effective_at <= now &&
           (!position.expires_at || now < *position.expires_at);
  }
};

/// The part of the policy that a session keeps.
struct PinnedPolicy {
  std::int64_t buffer = 0;
  RefundPolicy refund = RefundPolicy::to_source;
  std::int64_t refund_expiry_days = 0;
  OveragePolicy overage = OveragePolicy::charge;
  std::chrono::microseconds session_ttl{};

  friend bool operator==(const PinnedPolicy&, const PinnedPolicy&) = default;
};

/// The call that ended a session, to tell a repetition from another end.
struct Ending {
  SessionStatus status = SessionStatus::completed;
  Tokens tokens;

  friend bool operator==(const Ending&, const Ending&) = default;
};

/// A session as stored: what the caller sees, what it was begun with, and how it ended.
struct SessionRecord {
  StreamingSession session;
  Tokens first_tokens;
  TokenPrices prices;
  PinnedPolicy policy;
  std::vector<Slice> slices;  ///< in the order in which they were taken
  std::optional<Ending> ending;
  std::optional<std::int64_t> usage_id;  ///< the record that its end wrote
  std::int64_t refund = 0;
  std::int64_t overage = 0;
  std::int64_t uncollected = 0;

  friend bool operator==(const SessionRecord&, const SessionRecord&) = default;
};

/// What an idempotency key stands for: the request and the part of its answer that the request
/// does not say itself, as JSON.
struct KeyRecord {
  std::string key;
  std::string operation;
  std::string fingerprint;
  std::string answer;
  Timestamp created_at;

  friend bool operator==(const KeyRecord&, const KeyRecord&) = default;
};

/// Numbers that count within an account, and sums that keep its totals within 64 bits.
struct AccountCounters {
  std::int64_t last_allocation_id = 0;
  std::int64_t last_usage_id = 0;
  std::int64_t last_entry_sequence = 0;
  std::int64_t allocated_credits = 0;  ///< Σ (total − moved) of all allocations
  std::int64_t used_credits = 0;       ///< the sum of all usage records' credits
  std::string last_entry_hash;         ///< of the journal's last entry; empty: it has none

  friend bool operator==(const AccountCounters&, const AccountCounters&) = default;
};

/// What was loaded of one account. A session, key or named allocation that is not here does not
/// exist, provided that the commands' needs named it.
struct AccountState {
  AccountCounters counters;
  std::vector<AllocationState> allocations;  ///< in burn order
  /// Every active allocation up to this place is loaded; none: no prefix was asked for.
  std::optional<BurnPosition> loaded_up_to;
  /// Every active allocation is loaded.
  bool all_loaded = false;
  std::map<std::int64_t, CreditAllocation> named_allocations;
  std::map<std::string, SessionRecord, std::less<>> sessions;
  std::map<std::string, KeyRecord, std::less<>> keys;
};

struct State {
  std::map<std::string, AccountState, std::less<>> accounts;  ///< only those that exist
  std::map<std::string, PricingRule, std::less<>> rules;      ///< in force now, by model
  std::set<std::string, std::less<>> held;  ///< left out, since another has them locked
};

}  // namespace accounting::domain
