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
  /// A command's result is NeedMore: nothing of this decision may be stored; load more, decide
  /// again.
  bool need_more = false;
};

/// Decides each command in turn; later ones see what earlier ones did. A refused command changes
/// nothing and does not disturb the others. `state` must hold what `needs_of(commands)` names and
/// is changed; `now` is the time of all of them.
Decision decide(State& state, std::span<const Command> commands, Timestamp now,
                const Policy& policy);

}  // namespace accounting::domain
