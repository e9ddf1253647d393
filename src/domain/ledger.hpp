// Ledger: decides commands over loaded state. The only place where a credit moves; pure, so the
// rules can be tested without a database and hold for every database alike.
#pragma once

#include "domain/changes.hpp"
#include "domain/command.hpp"
#include "domain/state.hpp"

#include <span>
#include <vector>

namespace accounting::domain {

struct Decision {
  std::vector<Result> results;  ///< one for each command, in order
  Changes changes;
  /// Some accounts' commands are all answered with NeedMore, and nothing of them is in the
  /// changes: more is to be loaded of these accounts, and their commands decided again.
  bool need_more = false;
};

/// Decides each command in turn; later ones see what earlier ones did. A refused command changes
/// nothing and does not disturb the others, and accounts know nothing of each other. `state` must
/// hold what `needs_of(commands)` names and is changed; `now` is the time of all of them.
Decision decide(State& state, std::span<const Command* const> commands, Timestamp now,
                const Policy& policy);
Decision decide(State& state, std::span<const Command> commands, Timestamp now,
                const Policy& policy);

}  // namespace accounting::domain
