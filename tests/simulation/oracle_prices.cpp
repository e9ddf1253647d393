// What the oracle expects of accounts and prices, which have no commands.
#include "simulation/oracle.hpp"

#include <algorithm>
#include <utility>

namespace accounting::testing {

void Oracle::sync(Frame& frame, Timestamp now) {
  const SyncRequest& request = *frame.sync;
  const auto [found, created] = accounts_.try_emplace(
      request.user_id,
      UserAccount{
          .user_id = request.user_id, .role = Role::user, .created_at = now, .updated_at = now});
  if (created) {
    reference_.add_account(request.user_id);
  }
  UserAccount& account = found->second;
  const UserAccount before = account;
  account.email = request.email;
  account.username = request.username;
  account.role = request.role.value_or(account.role);
  const bool changed = created || account != before;
  account.updated_at = changed ? now : account.updated_at;
  audit_entries_ += changed ? 1 : 0;
  frame.synced = SyncResult{.account = account, .created = created};
}

void Oracle::set_price(Frame& frame, Timestamp now) {
  const SetPriceRequest& request = *frame.price;
  PricingRule added{.id = 1,
                    .model_id = request.model_id,
                    .price_per_1k_tokens = request.price_per_1k_tokens,
                    .input = request.input,
                    .output = request.output,
                    .cached_input = request.cached_input,
                    .effective_from = request.effective_from.value_or(now),
                    .effective_to = request.effective_to,
                    .created_by = request.created_by};
  const auto overlaps = [&](const PricingRule& rule) {
    const bool it_ends_before = rule.effective_to && *rule.effective_to <= added.effective_from;
    const bool ends_before_it = added.effective_to && *added.effective_to <= rule.effective_from;
    return !it_ends_before && !ends_before_it;
  };
  if (added.effective_to && *added.effective_to <= added.effective_from) {
    frame.priced = domain::Refusal{ErrorCode::invalid_argument, {}, "effective_to"};
    return;
  }
  PricingRule* closes = nullptr;
  const PricingRule* same_start = nullptr;
  bool conflicts = false;
  for (PricingRule& rule : rules_) {
    if (rule.model_id != added.model_id) {
      continue;
    }
    added.id += 1;
    if (rule.effective_from == added.effective_from) {
      same_start = &rule;
    } else if (!rule.effective_to && rule.effective_from < added.effective_from) {
      closes = &rule;
    } else if (!rule.effective_to || overlaps(rule)) {
      conflicts = true;  // the open rule is the last one, always
    }
  }
  if (same_start != nullptr) {
    const bool closed_by_next =
        !added.effective_to && std::any_of(rules_.begin(), rules_.end(), [&](const auto& rule) {
          return rule.model_id == added.model_id && rule.effective_from == same_start->effective_to;
        });
    const bool same = (same_start->effective_to == added.effective_to || closed_by_next) &&
                      same_start->price_per_1k_tokens == added.price_per_1k_tokens &&
                      same_start->input == added.input && same_start->output == added.output &&
                      same_start->cached_input == added.cached_input;
    if (same) {
      frame.priced = *same_start;
      return;
    }
    conflicts = true;
  }
  if (conflicts) {
    frame.priced = domain::Refusal{ErrorCode::conflict, {}, {}};
    return;
  }
  if (closes != nullptr) {
    closes->effective_to = added.effective_from;
  }
  rules_.push_back(added);
  audit_entries_ += 1;
  frame.priced = std::move(added);
}

}  // namespace accounting::testing
