// Comparison: whether the rows that the engine made are those of the reference, and whether they
// add up by themselves.
#pragma once

#include "domain/invariants.hpp"
#include "property/reference_books.hpp"

#include <optional>
#include <string>

namespace accounting::testing {

/// What the engine answered, against what the reference says; messages do not count.
bool same_result(const domain::Result& found, const domain::Result& expected);

/// Who made the rows. Services give journal entries their hashes and keys their fingerprints,
/// of which the reference knows nothing.
enum class MadeBy { engine, services };

/// The first difference between the reference's account and the stored one.
std::optional<std::string> difference(const ReferenceAccount& expected,
                                      const domain::AccountRows& found,
                                      MadeBy made_by = MadeBy::engine);

/// I1 to I3 by plain sums over the rows.
std::optional<std::string> unbalanced(const domain::AccountRows& rows);

}  // namespace accounting::testing
