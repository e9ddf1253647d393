// Play: a sequence played on the ledger and on the reference, side by side.
#pragma once

#include "property/reference_books.hpp"
#include "property/sequence.hpp"

#include <functional>
#include <optional>
#include <string>

namespace accounting::testing {

/// What went wrong first: a reply or a row that the reference did not expect, an invariant that
/// does not hold, or something thrown.
std::optional<std::string> play(const Sequence& sequence, Census& census);

/// A smaller sequence that fails as well: steps and commands are left out as long as it does.
Sequence shrink(Sequence sequence, const std::function<bool(const Sequence&)>& fails);

}  // namespace accounting::testing
