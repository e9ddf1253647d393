// Batch: commands that are carried out in one transaction: load, decide, store.
#pragma once

#include "domain/changes.hpp"
#include "domain/command.hpp"
#include "services/command_queue.hpp"
#include "services/context.hpp"
#include "store/store.hpp"

#include <span>
#include <vector>

namespace accounting::services {

/// What commands came to, nothing of which is stored yet. The result of a command that was put back
/// is NeedMore.
struct Decided {
  std::vector<domain::Result> results;  ///< one for each command, in order
  domain::Changes changes;
  domain::State left;  ///< the accounts as the changes leave them, but for the hash of the journal
};

/// Locks and loads what the commands touch, as much as it takes, and decides.
Decided decide_in(store::Unit& unit, std::span<const domain::Command* const> commands,
                  Timestamp now, const Policy& policy, WhenHeld when_held = WhenHeld::wait);

/// Carries tickets out in one transaction and gives each its result or failure. Where the database
/// refuses that transaction, each half is tried by itself, until the one at fault stands alone.
void carry_out(Books& books, std::span<Ticket* const> tickets, WhenHeld when_held,
               store::Deadline deadline);

}  // namespace accounting::services
