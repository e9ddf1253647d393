#include "simulation/oracle.hpp"

#include "property/account_queries.hpp"
#include "property/comparison.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <span>
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

using Part = std::vector<std::size_t>;

/// Parts of a list that halving can come to, larger ones first.
void add_halves(std::span<const std::size_t> list, std::vector<Part>& parts) {
  if (!list.empty()) {
    parts.emplace_back(list.begin(), list.end());
  }
  if (list.size() > 1) {
    add_halves(list.first(list.size() / 2), parts);
    add_halves(list.subspan(list.size() / 2), parts);
  }
}

/// A list as accounts take turns with it.
Part in_turns(const Part& list, const std::vector<Command>& commands) {
  std::map<std::string, std::size_t> rounds;
  std::vector<std::pair<std::size_t, std::size_t>> by_round;
  for (const std::size_t index : list) {
    by_round.emplace_back(rounds[commands[index].user_id]++, index);
  }
  // Within a round in the order in which the accounts first came.
  std::ranges::stable_sort(by_round, {}, [](const auto& each) { return each.first; });
  Part turns;
  for (const auto& [round, index] : by_round) {
    turns.push_back(index);
  }
  return turns;
}

/// What has taken effect may come along once more, to be answered again; a report is even written
/// once more. A sweep looks for other sessions.
bool may_come_along(const Frame& frame, std::size_t index) {
  const Command& command = frame.commands[index];
  return frame.decided[index].effects == 0 ||
         (domain::replays(command) && !std::holds_alternative<domain::Expire>(command.action));
}

/// All that can be picked of what is left of a short list; what comes first in it is picked first.
/// Rows do not show which of several alike took effect, so what is left of them may stand in the
/// place of any.
void add_picks(const Frame& frame, const Part& left, std::vector<Part>& parts) {
  constexpr std::size_t longest = 8;
  const std::vector<Command>& commands = frame.commands;
  if (commands.size() > longest) {
    return;
  }
  for (std::size_t picked = (std::size_t{1} << commands.size()) - 1; picked > 0; --picked) {
    Part rest = left;
    Part part;
    bool all_are_left = true;
    for (std::size_t place = 0; place < commands.size(); ++place) {
      if ((picked >> (commands.size() - 1 - place) & 1U) != 0) {
        const auto found = std::ranges::find_if(
            rest, [&](std::size_t index) { return alike(commands[index], commands[place]); });
        all_are_left = all_are_left && found != rest.end();
        if (found != rest.end()) {
          part.push_back(*found);
          rest.erase(found);
        }
      }
    }
    if (all_are_left) {
      parts.push_back(std::move(part));
    }
  }
}

/// What may share a transaction: the list or what is left of it, the commands of one account where
/// the others' could be had and its could not, halves of all these, and what is tried again after
/// others have come to their end.
std::vector<Part> parts_of(const Frame& frame) {
  Part all;
  Part left;
  std::map<std::string, Part> by_account;
  for (std::size_t index = 0; index < frame.commands.size(); ++index) {
    all.push_back(index);
    by_account[frame.commands[index].user_id].push_back(index);
    if (may_come_along(frame, index)) {
      left.push_back(index);
    }
  }
  std::vector<Part> parts;
  add_halves(in_turns(all, frame.commands), parts);
  add_halves(in_turns(left, frame.commands), parts);
  for (const auto& [user_id, part] : by_account) {
    add_halves(part, parts);
  }
  add_picks(frame, left, parts);
  return parts;
}

/// Where a part of what was taken to be committed comes to the same rows, the rest cannot be seen.
void mark_covered(const Part& committed, const Part& part, std::vector<Decided>& decided) {
  const auto is_in = [](const Part& list) {
    return [&](std::size_t index) { return std::ranges::find(list, index) != list.end(); };
  };
  if (std::ranges::all_of(part, is_in(committed))) {
    for (const std::size_t index : committed) {
      decided[index].covered = decided[index].covered || !is_in(part)(index);
    }
  }
}

}  // namespace

bool alike(const Command& left, const Command& right) {
  const auto key_of = [](const Command& command) {
    return command.key ? command.key->key : std::string();
  };
  return left.user_id == right.user_id && key_of(left) == key_of(right) &&
         text_of(left.action) == text_of(right.action);
}

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

/// An account that is not there needs no lock.
bool Oracle::is_locked_by(const SimulatedUnit& unit, const Command& command) const {
  const auto found = database_.locks.find(command.user_id);
  return !database_.accounts.contains(command.user_id) ||
         (found != database_.locks.end() && found->second == &unit);
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
    frame.last_committed.clear();
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

/// Which part of a list a transaction carried out shows only in the rows: it is one after which the
/// reference agrees with them. Of several, whose requests are alike, the first one is taken to have
/// had the effects, and each may have been answered.
Complaint Oracle::find_committed_half(Frame& frame, const SimulatedUnit& unit,
                                      const Policy& policy) {
  const std::vector<ReferenceAccount> before = save(frame);
  std::optional<std::vector<ReferenceAccount>> after;
  std::vector<Decided> decided = frame.decided;
  std::set<Part> tried;
  for (Part& part : parts_of(frame)) {
    // Those of accounts that another held were left out.
    std::erase_if(part, [&](std::size_t index) {
      return !may_come_along(frame, index) || !is_locked_by(unit, frame.commands[index]);
    });
    if (part.empty() || !tried.insert(part).second) {
      continue;
    }
    std::vector<Decided> carried_out = decide_part(frame, part, unit, policy);
    if (rows_agree(frame)) {
      tally_.halved += !after && part.size() < frame.commands.size() ? 1 : 0;
      for (std::size_t at = 0; at < part.size(); ++at) {
        const Decided& each = carried_out[at];
        decided[part[at]].effects += after ? 0 : each.effects;
        decided[part[at]].allowed.push_back(each.allowed.front());
        if (!after) {
          frame.last_committed.push_back(part[at]);
        }
      }
      mark_covered(frame.last_committed, part, decided);
      after = after ? std::move(after) : save(frame);
    }
    restore(before);
  }
  if (!after) {
    return "a commit stored what no part of the call comes to";
  }
  restore(std::move(*after));
  frame.decided = std::move(decided);
  return std::nullopt;
}

std::vector<Decided> Oracle::decide_part(Frame& frame, const std::vector<std::size_t>& indexes,
                                         const SimulatedUnit& unit, const Policy& policy) {
  std::vector<Decided> part;
  for (const std::size_t index : indexes) {
    const ReferenceAccount* account = seen_by(unit.client, frame.commands[index].user_id);
    const std::optional<ReferenceAccount> before =
        account != nullptr ? std::optional(*account) : std::nullopt;
    Decided decided{.allowed = decide(frame, index, 1, unit, policy)};
    decided.effects = account != nullptr && *account != *before ? 1 : 0;
    part.push_back(std::move(decided));
  }
  return part;
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
    if (!is_locked_by(unit, frame.commands[index])) {
      continue;
    }
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
