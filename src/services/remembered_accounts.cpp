#include "services/remembered_accounts.hpp"

#include <algorithm>
#include <new>
#include <utility>
#include <variant>

namespace accounting::services {
namespace {

using domain::Command;

// More of them are dear to keep, and are only loaded where small ones are used up.
constexpr std::size_t most_allocations = 64;

/// True for commands that look at nothing but the account's numbers and its allocations. That their
/// key is new is up to the database, which takes none twice.
bool needs_account_only(const Command& command) {
  return std::holds_alternative<domain::Deduct>(command.action) ||
         std::holds_alternative<domain::ChargeUsage>(command.action) ||
         std::holds_alternative<domain::RecordUsage>(command.action);
}

bool has_prefix(const domain::AccountState& state) {
  return state.all_loaded || state.loaded_up_to.has_value();
}

}  // namespace

std::optional<domain::State> RememberedAccounts::take(std::span<const Command* const> commands,
                                                      Timestamp now) {
  if (!std::ranges::all_of(commands,
                           [](const Command* each) { return needs_account_only(*each); })) {
    return std::nullopt;
  }
  const std::lock_guard lock(mutex_);
  const auto is_known = [&](const Command* command) {
    const auto found = accounts_.find(command->user_id);
    // Allocations that had expired by then are not among those that are remembered.
    return found != accounts_.end() && !found->second.doubtful && found->second.as_of <= now;
  };
  if (!std::ranges::all_of(commands, is_known)) {
    return std::nullopt;
  }
  domain::State state;
  for (const Command* command : commands) {
    if (auto account = accounts_.extract(command->user_id)) {
      state.accounts.emplace(std::move(account.key()), std::move(account.mapped().state));
    }
  }
  return state;
}

void RememberedAccounts::keep(domain::State state, const domain::Changes& changes,
                              Timestamp now) noexcept {
  const std::lock_guard lock(mutex_);
  for (const domain::CountersChange& change : changes.counters) {
    const auto account = state.accounts.find(change.user_id);
    if (account == state.accounts.end()) {
      continue;
    }
    try {
      keep_account(change, std::move(account->second), now);
    } catch (const std::bad_alloc&) {
      accounts_.erase(change.user_id);  // the commit stands all the same
    }
  }
}

void RememberedAccounts::keep_account(const domain::CountersChange& change,
                                      domain::AccountState&& state, Timestamp now) {
  if (!has_prefix(state) || state.allocations.size() > most_allocations) {
    accounts_.erase(change.user_id);
    return;
  }
  state.counters = change.after;  // with the hash of the last entry
  state.named_allocations.clear();
  state.sessions.clear();
  state.keys.clear();
  Account& account = place_of(change.user_id);
  account.doubtful = account.doubtful && account.state.counters != change.before;
  account.state = std::move(state);
  account.as_of = now;
}

void RememberedAccounts::doubt(const domain::Changes& changes) {
  const std::lock_guard lock(mutex_);
  for (const domain::CountersChange& change : changes.counters) {
    place_of(change.user_id) = {.state = {}, .as_of = {}, .doubtful = true};
  }
}

RememberedAccounts::Account& RememberedAccounts::place_of(const std::string& user_id) {
  if (accounts_.size() >= most_ && !accounts_.contains(user_id)) {
    accounts_.erase(accounts_.begin());
  }
  return accounts_[user_id];
}

}  // namespace accounting::services
