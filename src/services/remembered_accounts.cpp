#include "services/remembered_accounts.hpp"

#include <algorithm>
#include <new>
#include <type_traits>
#include <utility>
#include <variant>

namespace accounting::services {
namespace {

using domain::Command;

// More of them are dear to keep, and are only loaded where small ones are used up.
constexpr std::size_t most_allocations = 64;

constexpr std::size_t most_sessions = 16;
constexpr std::size_t most_rules = 1'000;

template <class A, class... Others>
constexpr bool is_one_of = (std::is_same_v<A, Others> || ...);

bool has_prefix(const domain::AccountState& state) {
  return state.all_loaded || state.loaded_up_to.has_value();
}

/// How the account's sessions that have changed were found.
std::map<std::string, domain::SessionProgress, std::less<>> progress_before(
    const domain::Changes& changes, const std::string& user_id) {
  std::map<std::string, domain::SessionProgress, std::less<>> progress;
  // Those of an account stand together, and most changes have none.
  const auto is_own = [&](const domain::SessionChange& change) {
    return change.record.session.user_id == user_id;
  };
  for (auto change = std::ranges::find_if(changes.sessions, is_own);
       change != changes.sessions.end() && is_own(*change); ++change) {
    if (change->before) {
      progress.emplace(change->record.session.session_id, *change->before);
    }
  }
  return progress;
}

/// True where what was found of sessions that were in doubt is what had been thought.
bool is_found_so(const std::map<std::string, domain::SessionProgress, std::less<>>& found,
                 const std::map<std::string, domain::SessionProgress, std::less<>>& thought) {
  return std::ranges::all_of(found, [&](const auto& each) {
    const auto other = thought.find(each.first);
    return other == thought.end() || other->second == each.second;
  });
}

/// Sessions that were not looked at this time are as they were, or their next change fails.
void carry_over_sessions(const domain::AccountState& known, domain::AccountState& state) {
  const auto is_loaded = [&](const Slice& slice) {
    return std::ranges::any_of(state.allocations, [&](const domain::AllocationState& each) {
      return each.position.id == slice.allocation_id;
    });
  };
  for (const auto& [session_id, record] : known.sessions) {
    if (std::ranges::all_of(record.slices, is_loaded)) {
      state.sessions.emplace(session_id, record);
    }
  }
}

}  // namespace

/// True for commands that look at nothing but the account's numbers, its allocations and what is
/// remembered besides. That a key or a session is new is up to the database, which takes none
/// twice.
bool RememberedAccounts::is_enough_for(const Command& command, const Account& account,
                                       Timestamp now) const {
  return std::visit(
      [&](const auto& action) {
        using A = std::decay_t<decltype(action)>;
        if constexpr (is_one_of<A, domain::Deduct, domain::ChargeUsage, domain::RecordUsage>) {
          return true;
        } else if constexpr (std::is_same_v<A, domain::Initialize>) {
          // The answer to a repetition is what the session has become.
          return !account.state.sessions.contains(action.session_id) &&
                 rule_in_force(action.model_id, now) != nullptr;
        } else if constexpr (is_one_of<A, domain::Report, domain::Extend, domain::Finalize,
                                       domain::Abort>) {
          return account.state.sessions.contains(action.session_id);
        } else {
          return false;
        }
      },
      command.action);
}

const PricingRule* RememberedAccounts::rule_in_force(const std::string& model_id,
                                                     Timestamp now) const {
  const auto found = rules_.find(model_id);
  if (found == rules_.end()) {
    return nullptr;
  }
  const PricingRule& rule = found->second;
  const bool in_force =
      rule.effective_from <= now && (!rule.effective_to || now < *rule.effective_to);
  return in_force ? &rule : nullptr;
}

std::optional<domain::State> RememberedAccounts::take(std::span<const Command* const> commands,
                                                      Timestamp now) {
  const std::lock_guard lock(mutex_);
  const auto is_known = [&](const Command* command) {
    const Account* account = find(command->user_id);
    // Allocations that had expired by then are not among those that are remembered.
    return account != nullptr && !account->doubtful && account->as_of <= now &&
           is_enough_for(*command, *account, now);
  };
  if (!std::ranges::all_of(commands, is_known)) {
    return std::nullopt;
  }
  domain::State state;
  for (const Command* command : commands) {
    if (const auto* begun = std::get_if<domain::Initialize>(&command->action)) {
      state.rules.emplace(begun->model_id, rules_.at(begun->model_id));
    }
    if (auto account = extract(command->user_id)) {
      state.accounts.emplace(std::move(account.key()), std::move(account.mapped().state));
    }
  }
  return state;
}

void RememberedAccounts::keep(domain::State state, const domain::Changes& changes,
                              Timestamp now) noexcept {
  const std::lock_guard lock(mutex_);
  const auto keep_one = [&](const std::string& user_id, domain::AccountState& account,
                            const domain::AccountCounters& before) {
    try {
      keep_account(user_id, std::move(account), before, progress_before(changes, user_id), now);
    } catch (const std::bad_alloc&) {
      extract(user_id);  // the commit stands all the same
    }
  };
  keep_rules(state.rules);
  for (const domain::CountersChange& change : changes.counters) {
    if (auto account = state.accounts.extract(change.user_id)) {
      account.mapped().counters = change.after;  // with the hash of the last entry
      keep_one(change.user_id, account.mapped(), change.before);
    }
  }
  // Of these only a session has changed.
  for (auto& [user_id, account] : state.accounts) {
    keep_one(user_id, account, account.counters);
  }
}

void RememberedAccounts::keep_rules(
    std::map<std::string, PricingRule, std::less<>>& rules) noexcept {
  while (!rules.empty()) {
    auto rule = rules.extract(rules.begin());
    rules_.erase(rule.key());
    if (rules_.size() >= most_rules) {
      rules_.clear();
    }
    rules_.insert(std::move(rule));
  }
}

void RememberedAccounts::keep_account(const std::string& user_id, domain::AccountState&& state,
                                      const domain::AccountCounters& before,
                                      const Progress& progress_before, Timestamp now) {
  const Account* known = find(user_id);
  const bool doubtful =
      known != nullptr && known->doubtful &&
      (known->state.counters != before || !is_found_so(progress_before, known->doubted));
  if (!has_prefix(state) || state.allocations.size() > most_allocations) {
    extract(user_id);
    return;
  }
  if (known != nullptr && !known->doubtful && known->state.counters == before) {
    carry_over_sessions(known->state, state);
  }
  Account kept{.state = std::move(state), .as_of = now, .doubtful = doubtful};
  kept.state.named_allocations.clear();
  kept.state.keys.clear();
  std::erase_if(kept.state.sessions, [](const auto& each) {
    return each.second.ending.has_value() || each.second.slices.size() > most_allocations;
  });
  if (kept.state.sessions.size() > most_sessions) {
    kept.state.sessions.clear();
  }
  if (doubtful) {
    for (const auto& [session_id, record] : kept.state.sessions) {
      kept.doubted.emplace(session_id, domain::progress_of(record.session));
    }
  }
  put(user_id, std::move(kept));
}

void RememberedAccounts::doubt(const domain::Changes& changes, const domain::State& state) {
  const std::lock_guard lock(mutex_);
  for (const auto& [model_id, rule] : state.rules) {
    rules_.erase(model_id);
  }
  for (const domain::CountersChange& change : changes.counters) {
    Account account{.doubtful = true, .doubted = progress_before(changes, change.user_id)};
    account.state.counters = change.before;
    put(change.user_id, std::move(account));
  }
}

void RememberedAccounts::forget(const domain::Changes& changes) {
  const std::lock_guard lock(mutex_);
  for (const domain::CountersChange& change : changes.counters) {
    extract(change.user_id);
  }
  for (const domain::SessionChange& change : changes.sessions) {
    extract(change.record.session.user_id);
  }
}

const RememberedAccounts::Account* RememberedAccounts::find(const std::string& user_id) const {
  for (const ByUser* accounts : {&young_, &old_}) {
    if (const auto found = accounts->find(user_id); found != accounts->end()) {
      return &found->second;
    }
  }
  return nullptr;
}

RememberedAccounts::ByUser::node_type RememberedAccounts::extract(const std::string& user_id) {
  auto found = young_.extract(user_id);
  return found ? std::move(found) : old_.extract(user_id);
}

void RememberedAccounts::put(const std::string& user_id, Account account) {
  old_.erase(user_id);
  if (young_.size() >= most_ && !young_.contains(user_id)) {
    old_ = std::exchange(young_, {});
  }
  young_.insert_or_assign(user_id, std::move(account));
}

}  // namespace accounting::services
