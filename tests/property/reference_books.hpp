// ReferenceBooks: the rules of the design once more, written to be read and not to be fast, with
// nothing of the engine's code: its own burn order, refunds and rounding. It predicts every answer
// and every number of the rows.
#pragma once

#include "accounting/options.hpp"
#include "accounting/pricing.hpp"
#include "domain/command.hpp"
#include "domain/invariants.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace accounting::testing {

/// What a run must have met to have shown anything; counted, so that a run cannot pass idle.
enum class Event {
  took_from_several,
  key_replayed,
  key_conflict,
  session_replayed,
  session_conflict,
  end_replayed,
  end_refused,
  refunded_to_several,
  refunded_to_revoked,
  refunded_to_expired,
  moved_to_new_allocation,
  overage_taken,
  overage_uncollected,
  overage_absorbed,
  extension_held,
  revoked_what_remained,
  revoked_again,
  expired_at_the_instant,
  not_stale,
  used_rule_price,
  used_policy_price,
  too_expensive,
  loaded_again,
  count
};

std::string_view name_of(Event event);

struct Census {
  std::array<std::int64_t, static_cast<std::size_t>(Event::count)> events{};
  std::map<std::pair<std::size_t, int>, std::int64_t> replies;  ///< by action and error code

  void note(Event event) { events[static_cast<std::size_t>(event)] += 1; }
};

struct ReferenceSession {
  StreamingSession session;
  Tokens first_tokens;
  domain::TokenPrices prices;
  domain::PinnedPolicy policy;
  std::vector<Slice> slices;
  std::optional<Settlement> settlement;  ///< none: active
  Tokens ended_with;
  std::int64_t usage_id = 0;

  friend bool operator==(const ReferenceSession&, const ReferenceSession&) = default;
};

struct ReferenceKey {
  std::string key;
  std::size_t operation = 0;
  std::string fingerprint;
  domain::Answer answer;

  friend bool operator==(const ReferenceKey&, const ReferenceKey&) = default;
};

struct ReferenceAccount {
  std::string user_id;
  std::vector<CreditAllocation> allocations;
  std::vector<ReferenceSession> sessions;
  std::vector<UsageRecord> usage_records;  ///< without the metadata of sessions
  std::vector<CreditEntry> entries;
  std::vector<domain::RollupRow> rollups;
  std::vector<ReferenceKey> keys;

  friend bool operator==(const ReferenceAccount&, const ReferenceAccount&) = default;
};

class ReferenceBooks {
 public:
  ReferenceBooks(const std::vector<std::string>& users, std::vector<PricingRule> rules,
                 Census& census);

  /// What a command comes to; refusals come without their message.
  domain::Result decide(const domain::Command& command, Timestamp now, const Policy& policy);

  [[nodiscard]] const ReferenceAccount& account(const std::string& user_id) const {
    return accounts_.at(user_id);
  }
  [[nodiscard]] bool has_account(const std::string& user_id) const {
    return accounts_.contains(user_id);
  }
  void add_account(const std::string& user_id) { accounts_[user_id].user_id = user_id; }
  /// Puts an account back as it was.
  void put(ReferenceAccount account) {
    std::string user_id = account.user_id;
    accounts_.insert_or_assign(std::move(user_id), std::move(account));
  }
  void set_rules(std::vector<PricingRule> rules) { rules_ = std::move(rules); }

 private:
  struct Call;  ///< a command with its account and its time

  domain::Result act(Call& call, const domain::Allocate& request);
  domain::Result act(Call& call, const domain::Deduct& request);
  domain::Result act(Call& call, const domain::ChargeUsage& request);
  domain::Result act(Call& call, const domain::RecordUsage& request);
  domain::Result act(Call& call, const domain::Revoke& request);
  domain::Result act(Call& call, const domain::Initialize& request);
  domain::Result act(Call& call, const domain::Report& request);
  domain::Result act(Call& call, const domain::Extend& request);
  domain::Result act(Call& call, const domain::Finalize& request);
  domain::Result act(Call& call, const domain::Abort& request);
  domain::Result act(Call& call, const domain::Expire& request);

  domain::Result end_by_caller(Call& call, const std::string& session_id, SessionStatus status,
                               const Tokens& tokens, const char* argument);
  domain::Result end(Call& call, ReferenceSession& session, SessionStatus status,
                     const Tokens& tokens, const char* argument);
  void give_back(Call& call, ReferenceSession& session, const std::vector<Slice>& back);

  std::optional<domain::TokenPrices> prices(const std::string& model_id, Timestamp now,
                                            const Policy& policy);

  std::map<std::string, ReferenceAccount> accounts_;
  std::vector<PricingRule> rules_;
  Census& census_;
};

// --- the arithmetic, with 128 bits ---------------------------------------------------------------

/// ceil(Σ tokens × price / 1000); none above 10^15.
std::optional<std::int64_t> reference_cost(const Tokens& tokens, const domain::TokenPrices& prices);
/// ceil(estimate × (1 + buffer)); none above 10^15.
std::optional<std::int64_t> reference_hold(std::int64_t estimate, std::int64_t buffer);

}  // namespace accounting::testing
