// Oracle: the plain reference beside the simulated database. It decides what a call comes to at the
// instant at which its commit takes effect, and holds answers and rows against that.
#pragma once

#include "property/reference_books.hpp"
#include "simulation/frame.hpp"
#include "simulation/simulated_database.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {

using Complaint = std::optional<std::string>;

/// True for requests that rows cannot tell apart.
bool alike(const domain::Command& left, const domain::Command& right);

class Oracle {
 public:
  Oracle(const History& history, const SimulatedDatabase& database, Tally& tally);

  // --- what happens to the books -----------------------------------------------------------------

  /// A transaction of a call has taken effect.
  Complaint committed(Frame& frame, const SimulatedUnit& unit, const Policy& policy);
  /// One ended without changing anything, and not because it failed.
  void looked_only(Frame& frame, const SimulatedUnit& unit, const Policy& policy);
  /// A call inside a transaction that a client holds open was carried out.
  void in_transaction(Frame& frame, const SimulatedUnit& unit, const Policy& policy);
  void transaction_committed(std::size_t client) { before_.erase(client); }
  void transaction_rolled_back(std::size_t client);

  /// Sessions that a client sees as stale, as commands.
  [[nodiscard]] std::vector<domain::Command> stale(std::size_t client, Timestamp now,
                                                   std::int64_t limit) const;
  /// The account as a client sees it; null where there is none.
  [[nodiscard]] const ReferenceAccount* seen_by(std::size_t client,
                                                const std::string& user_id) const;

  // --- whether all is well -----------------------------------------------------------------------

  /// The rows of an account are the reference's; `view` is what its open transaction sees of it.
  [[nodiscard]] Complaint compare(const std::string& user_id,
                                  const std::map<std::size_t, const SimulatedUnit*>& open) const;
  /// Accounts, prices and the number of audit entries are the reference's.
  [[nodiscard]] Complaint compare_world() const;
  [[nodiscard]] bool has_account(const std::string& user_id) const {
    return accounts_.contains(user_id);
  }

 private:
  std::vector<domain::Result> decide(Frame& frame, std::size_t first, std::size_t count,
                                     const SimulatedUnit& unit, const Policy& policy);
  void decide_together(Frame& frame, const SimulatedUnit& unit, const Policy& policy);
  std::vector<Decided> decide_part(Frame& frame, const std::vector<std::size_t>& indexes,
                                   const SimulatedUnit& unit, const Policy& policy);
  Complaint find_committed_half(Frame& frame, const SimulatedUnit& unit, const Policy& policy);
  [[nodiscard]] bool is_locked_by(const SimulatedUnit& unit, const domain::Command& command) const;
  [[nodiscard]] bool rows_agree(const Frame& frame) const;
  std::vector<ReferenceAccount> save(const Frame& frame) const;
  void restore(std::vector<ReferenceAccount> saved);
  void use_rules(const SimulatedUnit& unit);
  void set_price(Frame& frame, Timestamp now);
  void sync(Frame& frame, Timestamp now);

  const SimulatedDatabase& database_;
  Tally& tally_;
  ReferenceBooks reference_;
  SimulatedDatabase::Rules rules_in_use_;
  std::map<std::string, UserAccount> accounts_;
  std::vector<PricingRule> rules_;
  std::int64_t audit_entries_ = 0;
  /// By client: accounts as they were before its open transaction changed them.
  std::map<std::size_t, std::map<std::string, ReferenceAccount>> before_;
};

}  // namespace accounting::testing
