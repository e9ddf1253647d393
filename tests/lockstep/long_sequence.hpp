// Long sequence: up to 50 operations from a seed, for databases. They are played one at a time, or
// those of a step inside one transaction.
#pragma once

#include "property/sequence.hpp"

#include <cstdint>
#include <string>

namespace accounting::testing {

constexpr std::int64_t most_operations = 50;

Sequence long_sequence(std::uint64_t seed);

/// The same under names of its own: accounts, and the model that has rules, end with `suffix`, so
/// that sequences share a database and never meet.
Sequence with_own_names(Sequence sequence, const std::string& suffix);

/// How many operations it has.
std::int64_t size_of(const Sequence& sequence);

}  // namespace accounting::testing
