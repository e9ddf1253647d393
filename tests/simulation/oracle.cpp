#include "simulation/oracle.hpp"

#include "property/comparison.hpp"
#include "simulation/account_queries.hpp"

#include <algorithm>
#include <utility>

namespace accounting::testing {
namespace {

using domain::Command;
using domain::Result;

/// No client has this number: it sees what is committed.
constexpr std::size_t nobody = ~std::size_t{0};

std::string named(const std::string& argument, std::size_t index) {
  return "requests[" + std::to_string(index) + "]." + argument;
}

/// Parts of a list that halving can come to, larger ones first.
void add_halves(std::size_t first, std::size_t count,
                std::vector<std::pair<std::size_t, std::size_t>>& parts) {
  parts.emplace_back(first, count);
  if (count > 1) {
    add_halves(first, count / 2, parts);
    add_halves(first + count / 2, count - count / 2, parts);
  }
}

}  // namespace

Oracle::Oracle(const History& history, const SimulatedDatabase& database, Tally& tally)
    : database_(database),
      tally_(tally),
      reference_(history.users, history.rules, tally.census),
      rules_(history.rules) {
  for (const auto& [user_id, account] : database.accounts) {
    accounts_.emplace(user_id, account);
  }
}

void Oracle::use_rules(const SimulatedUnit& unit) {
  if (unit.rules_seen && unit.rules_seen != rules_in_use_) {
    rules_in_use_ = unit.rules_seen;
    reference_.set_rules(*rules_in_use_);
  }
}

std::vector<Result> Oracle::decide(Frame& frame, std::size_t first, std::size_t count,
                                   const SimulatedUnit& unit, const Policy& policy) {
  use_rules(unit);
  std::vector<Result> results;
  for (std::size_t index = first; index < first + count; ++index) {
    results.push_back(reference_.decide(frame.commands[index], unit.began_at, policy));
  }
  return results;
}

std::vector<ReferenceAccount> Oracle::save(const Frame& frame) const {
  std::vector<ReferenceAccount> saved;
  for (const Command& command : frame.commands) {
    const bool known = std::any_of(saved.begin(), saved.end(), [&](const auto& each) {
      return each.user_id == command.user_id;
    });
    if (!known && reference_.has_account(command.user_id)) {
      saved.push_back(reference_.account(command.user_id));
    }
  }
  return saved;
}

void Oracle::restore(std::vector<ReferenceAccount> saved) {
  for (ReferenceAccount& account : saved) {
    reference_.put(std::move(account));
  }
}

bool Oracle::rows_agree(const Frame& frame) const {
  return std::all_of(frame.commands.begin(), frame.commands.end(), [&](const Command& command) {
    const domain::AccountRows* rows = database_.tables.find(command.user_id);
    return rows == nullptr ||
           !difference(*seen_by(nobody, command.user_id), *rows, MadeBy::services);
  });
}

/// All take effect, or the first refusal is the answer to the call and nothing does.
void Oracle::decide_together(Frame& frame, const SimulatedUnit& unit, const Policy& policy) {
  const bool may_undo = frame.commands.size() > 1;
  std::vector<ReferenceAccount> saved = may_undo ? save(frame) : std::vector<ReferenceAccount>();
  std::vector<Result> results = decide(frame, 0, frame.commands.size(), unit, policy);
  for (std::size_t index = 0; index < results.size(); ++index) {
    auto* refusal = std::get_if<domain::Refusal>(&results[index]);
    if (refusal != nullptr && may_undo) {
      if (refusal->code == ErrorCode::invalid_argument) {
        refusal->argument = named(refusal->argument, index);
      }
      const Result first = *refusal;
      std::fill(results.begin(), results.end(), first);
      restore(std::move(saved));
      break;
    }
  }
  frame.last_committed.clear();
  for (std::size_t index = 0; index < results.size(); ++index) {
    frame.decided[index].allowed.assign(1, std::move(results[index]));
    frame.last_committed.push_back(index);
  }
}

Complaint Oracle::committed(Frame& frame, const SimulatedUnit& unit, const Policy& policy) {
  if (frame.sync) {
    sync(frame, unit.began_at);
    return std::nullopt;
  }
  if (frame.price) {
    set_price(frame, unit.prices_locked_at);
    return std::nullopt;
  }
  if (frame.sharing == Sharing::halves) {
    return find_committed_half(frame, unit, policy);
  }
  decide_together(frame, unit, policy);
  for (std::size_t index = 0; index < frame.commands.size(); ++index) {
    const bool again = frame.decided[index].effects++ > 0;
    if (again && !domain::replays(frame.commands[index])) {
      return "a call took effect twice: " + text_of(frame.commands[index].action);
    }
  }
  return std::nullopt;
}

/// Which part of a list a transaction carried out shows only in the rows: it is the one after which
/// the reference agrees with them.
Complaint Oracle::find_committed_half(Frame& frame, const SimulatedUnit& unit,
                                      const Policy& policy) {
  std::vector<std::pair<std::size_t, std::size_t>> parts;
  add_halves(0, frame.commands.size(), parts);
  for (const auto& [first, count] : parts) {
    const auto begin = frame.decided.begin() + static_cast<std::ptrdiff_t>(first);
    const bool has_taken_effect = std::any_of(begin, begin + static_cast<std::ptrdiff_t>(count),
                                              [](const Decided& each) { return each.effects > 0; });
    if (has_taken_effect) {
      continue;
    }
    std::vector<ReferenceAccount> saved = save(frame);
    std::vector<Result> results = decide(frame, first, count, unit, policy);
    if (!rows_agree(frame)) {
      restore(std::move(saved));
      continue;
    }
    tally_.halved += count < frame.commands.size() ? 1 : 0;
    frame.last_committed.clear();
    for (std::size_t index = first; index < first + count; ++index) {
      Decided& decided = frame.decided[index];
      decided.effects += std::holds_alternative<domain::Answer>(results[index - first]) ? 1 : 0;
      decided.allowed.push_back(std::move(results[index - first]));
      frame.last_committed.push_back(index);
    }
    return std::nullopt;
  }
  return "a commit stored what no part of the call comes to";
}

void Oracle::looked_only(Frame& frame, const SimulatedUnit& unit, const Policy& policy) {
  if (frame.price) {
    set_price(frame, unit.prices_locked_at);
  }
  if (frame.commands.empty()) {
    return;
  }
  if (frame.sharing == Sharing::together) {
    decide_together(frame, unit, policy);
    return;
  }
  for (std::size_t index = 0; index < frame.commands.size(); ++index) {
    std::vector<ReferenceAccount> saved = save(frame);
    std::vector<Result> results = decide(frame, index, 1, unit, policy);
    if (rows_agree(frame)) {
      frame.decided[index].allowed.push_back(std::move(results.front()));
    }
    restore(std::move(saved));
  }
}

void Oracle::in_transaction(Frame& frame, const SimulatedUnit& unit, const Policy& policy) {
  auto& before = before_[unit.client];
  for (ReferenceAccount& account : save(frame)) {
    std::string user_id = account.user_id;
    before.try_emplace(std::move(user_id), std::move(account));
  }
  if (frame.sharing == Sharing::together) {
    decide_together(frame, unit, policy);
    return;
  }
  std::vector<Result> results = decide(frame, 0, frame.commands.size(), unit, policy);
  for (std::size_t index = 0; index < results.size(); ++index) {
    frame.decided[index].allowed.assign(1, std::move(results[index]));
    frame.decided[index].acknowledged = true;
  }
}

void Oracle::transaction_rolled_back(std::size_t client) {
  if (const auto found = before_.find(client); found != before_.end()) {
    for (auto& [user_id, account] : found->second) {
      reference_.put(std::move(account));
    }
    before_.erase(found);
  }
}

const ReferenceAccount* Oracle::seen_by(std::size_t client, const std::string& user_id) const {
  if (!reference_.has_account(user_id)) {
    return nullptr;
  }
  for (const auto& [owner, accounts] : before_) {
    const auto found = accounts.find(user_id);
    if (owner != client && found != accounts.end()) {
      return &found->second;
    }
  }
  return &reference_.account(user_id);
}

std::vector<Command> Oracle::stale(std::size_t client, Timestamp now, std::int64_t limit) const {
  std::vector<StreamingSession> sessions;
  for (const auto& [user_id, account] : accounts_) {
    add_stale_sessions(*seen_by(client, user_id), now, sessions);
  }
  std::vector<Command> commands;
  for (const auto& [user_id, session_id] : in_order_of_life(std::move(sessions), limit)) {
    commands.push_back({.user_id = user_id,
                        .actor = "host",
                        .key = std::nullopt,
                        .action = domain::Expire{.session_id = session_id}});
  }
  return commands;
}

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

Complaint Oracle::compare(const std::string& user_id,
                          const std::map<std::size_t, const SimulatedUnit*>& open) const {
  const domain::AccountRows* rows = database_.tables.find(user_id);
  const ReferenceAccount* expected = seen_by(nobody, user_id);
  if (rows == nullptr || expected == nullptr) {
    return (rows == nullptr) == (expected == nullptr)
               ? std::nullopt
               : Complaint("account " + user_id + " is there or not there, wrongly");
  }
  if (auto problem = difference(*expected, *rows, MadeBy::services)) {
    return user_id + ": " + *problem;
  }
  for (const auto& [client, accounts] : before_) {
    if (!accounts.contains(user_id)) {
      continue;
    }
    const auto unit = open.find(client);
    if (unit == open.end()) {
      return user_id + ": a transaction that has ended still has a hand on it";
    }
    if (auto problem = difference(reference_.account(user_id), *unit->second->view(user_id),
                                  MadeBy::services)) {
      return user_id + ", inside the open transaction: " + *problem;
    }
  }
  return std::nullopt;
}

Complaint Oracle::compare_world() const {
  if (accounts_ != database_.accounts) {
    return "user_accounts: not what was synced";
  }
  if (rules_ != *database_.rules) {
    return "pricing_rules: not what was set";
  }
  if (audit_entries_ != database_.audit_entries) {
    return "audit_log: not one entry for each change";
  }
  return std::nullopt;
}

}  // namespace accounting::testing
