// Needs: what has to be loaded before commands can be decided.
#pragma once

#include "domain/command.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>

namespace accounting::domain {

struct AccountNeeds {
  std::set<std::string> keys;
  std::set<std::string> sessions;       ///< with their slices and the slices' allocations
  std::set<std::int64_t> allocations;   ///< by id, whole
  std::int64_t active_allocations = 0;  ///< how many at most, in burn order
};

/// By user id, which is the order in which accounts are locked.
struct Needs {
  std::map<std::string, AccountNeeds, std::less<>> accounts;
  std::set<std::string> models;
  /// Accounts that another transaction has locked are not waited for, but left out.
  bool leave_out_held = false;
};

/// The first look: as much as commands usually need. Each time that was not enough, `attempt` is
/// one more and the prefix of active allocations larger.
Needs needs_of(std::span<const Command* const> commands, int attempt);
Needs needs_of(std::span<const Command> commands, int attempt);

}  // namespace accounting::domain
