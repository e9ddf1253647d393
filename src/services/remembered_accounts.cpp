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
    const Account* account = find(command->user_id);
    // Allocations that had expired by then are not among those that are remembered.
    return account != nullptr && !account->doubtful && account->as_of <= now;
  };
  if (!std::ranges::all_of(commands, is_known)) {
    return std::nullopt;
  }
  domain::State state;
  for (const Command* command : commands) {
    if (auto account = extract(command->user_id)) {
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
      extract(change.user_id);  // the commit stands all the same
    }
  }
}

void RememberedAccounts::keep_account(const domain::CountersChange& change,
                                      domain::AccountState&& state, Timestamp now) {
  const Account* known = find(change.user_id);
  const bool doubtful =
      known != nullptr && known->doubtful && known->state.counters != change.before;
  if (!has_prefix(state) || state.allocations.size() > most_allocations) {
    extract(change.user_id);
    return;
  }
  state.counters = change.after;  // with the hash of the last entry
  state.named_allocations.clear();
  state.sessions.clear();
  state.keys.clear();
  put(change.user_id, {.state = std::move(state), .as_of = now, .doubtful = doubtful});
}

void RememberedAccounts::doubt(const domain::Changes& changes) {
  const std::lock_guard lock(mutex_);
  for (const domain::CountersChange& change : changes.counters) {
    Account account{.doubtful = true};
    account.state.counters = change.before;
    put(change.user_id, std::move(account));
  }
}

void RememberedAccounts::forget(const domain::Changes& changes) {
  const std::lock_guard lock(mutex_);
  for (const domain::CountersChange& change : changes.counters) {
    extract(change.user_id);
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
