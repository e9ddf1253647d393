// Shrink: the smallest part of a history that still fails.
#pragma once

#include "simulation/history.hpp"
#include "simulation/simulated_database.hpp"

#include <optional>
#include <string>

namespace accounting::testing {

/// Events, mishaps and commands are left out as long as it fails.
History shrink(History history, StoreBug bug);

/// Everything that is to be known of a history that fails: the seed, the smallest part of it that
/// does, what happens in that, and the difference.
std::string explain_failure(const History& history, StoreBug bug);

}  // namespace accounting::testing
