// Remembered accounts: how the last transactions of this process left the accounts that they
// charged. What is decided over them needs no look into the books first: it is stored in one trip,
// on condition that they still are as they are remembered.
#pragma once

#include "domain/changes.hpp"
#include "domain/command.hpp"
#include "domain/state.hpp"

#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

namespace accounting::services {

/// Thread-safe. What is remembered may be out of date: the condition tells.
class RememberedAccounts {
 public:
  /// `most` accounts; beyond them, one is forgotten for each new one.
  explicit RememberedAccounts(std::size_t most = 10'000) : most_(most) {}

  /// The accounts of the commands as they are remembered, which ends their being so; none where
  /// something has to be looked up.
  std::optional<domain::State> take(std::span<const domain::Command* const> commands,
                                    Timestamp now);
  /// After a commit: how it left accounts, decided at `now`. Where there is no memory for that,
  /// they are forgotten.
  void keep(domain::State state, const domain::Changes& changes, Timestamp now) noexcept;
  /// Accounts that were not as they had been remembered: another process works on them too. They
  /// are relied on again once they were found as the last transaction left them.
  void doubt(const domain::Changes& changes);

 private:
  struct Account {
    domain::AccountState state;
    Timestamp as_of;
    bool doubtful = false;
  };

  void keep_account(const domain::CountersChange& change, domain::AccountState&& state,
                    Timestamp now);
  Account& place_of(const std::string& user_id);

  std::size_t most_;
  std::mutex mutex_;
  std::unordered_map<std::string, Account> accounts_;
};

}  // namespace accounting::services
