// Remembered accounts: how the last batches of this process left the accounts whose credits they
// took or held, with their open sessions, and the prices that they found. What is decided over them
// needs no look into the books first: it is stored in one trip, on condition that they still are as
// they are remembered.
#pragma once

#include "domain/changes.hpp"
#include "domain/command.hpp"
#include "domain/state.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

namespace accounting::services {

/// Thread-safe. What is remembered may be out of date: the condition tells.
class RememberedAccounts {
 public:
  /// `most` accounts at least and twice as many at most: those last used.
  explicit RememberedAccounts(std::size_t most = 10'000) : most_(most) {}

  /// The accounts of the commands as they are remembered, which ends their being so; none where
  /// something has to be looked up.
  std::optional<domain::State> take(std::span<const domain::Command* const> commands,
                                    Timestamp now);
  /// After a commit: how it left accounts, decided at `now`, and the rules that it found. Where
  /// there is no memory for that, they are forgotten.
  void keep(domain::State state, const domain::Changes& changes, Timestamp now) noexcept;
  /// Of these accounts and the state's rules one at least was not as it had been remembered:
  /// another process works on it too. Each account is relied on again once it was found as it is
  /// remembered, a rule once it was found.
  void doubt(const domain::Changes& changes, const domain::State& state);
  /// What was changed in another way.
  void forget(const domain::Changes& changes);

 private:
  using Progress = std::map<std::string, domain::SessionProgress, std::less<>>;

  struct Account {
    domain::AccountState state;
    Timestamp as_of;
    bool doubtful = false;
    Progress doubted = {};  ///< of sessions: how they would be found if nobody else was there
  };

  using ByUser = std::unordered_map<std::string, Account>;

  [[nodiscard]] bool is_enough_for(const domain::Command& command, const Account& account,
                                   Timestamp now) const;
  [[nodiscard]] const PricingRule* rule_in_force(const std::string& model_id, Timestamp now) const;

  void keep_rules(std::map<std::string, PricingRule, std::less<>>& rules) noexcept;
  /// `before`: how the account, and those of its sessions that have changed, were found.
  void keep_account(const std::string& user_id, domain::AccountState&& state,
                    const domain::AccountCounters& before, const Progress& progress_before,
                    Timestamp now);
  [[nodiscard]] const Account* find(const std::string& user_id) const;
  ByUser::node_type extract(const std::string& user_id);
  void put(const std::string& user_id, Account account);

  std::size_t most_;
  std::mutex mutex_;
  ByUser young_;  ///< used since there were `most_` of them for the last time
  ByUser old_;    ///< used before that
  std::map<std::string, PricingRule, std::less<>> rules_;  ///< by model
};

}  // namespace accounting::services
