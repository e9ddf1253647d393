// History: a small, varied history of books that every version of the library can play, and what
// the books say about it. The dumps of older schemas hold it, played by the library of their time.
#pragma once

#include <accounting/accounting.hpp>

#include <memory>
#include <string>

namespace accounting::testing {

/// Sets the empty database of `options` up and plays the history, moving the clock of `options`.
void play_history(const Options& options, ManualClock& clock);

/// The instant after the history at which books are looked at.
Timestamp history_end();

/// Everything that queries tell about the history's books, as text.
std::string describe_history(const Accounting& books);

/// Repeats calls of the history that answer what they did the first time, and tells the answers.
/// Changes nothing.
std::string replay_history(const Accounting& books);

}  // namespace accounting::testing
