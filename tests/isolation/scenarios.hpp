// Scenarios: what happens at once in the isolation tests, in terms of the library's own calls.
#pragma once

#include "support/recorded_books.hpp"

#include <functional>
#include <string>
#include <vector>

namespace accounting::testing {

/// A caller in a session of its own, who makes one call.
struct Actor {
  std::string name;
  std::function<void(const RecordedBooks&)> call;
  /// Made beforehand where it is given, so that the actor's process remembers the account.
  std::function<void(const RecordedBooks&)> call_before = nullptr;
};

/// In which ways the actors' trips are interleaved.
enum class Interleaving {
  trips,       ///< two actors: every way that their locks allow, and some that they forbid
  orders,      ///< any number of actors, in every order: each waits for the one before
  statements,  ///< two actors without pipelining: the second comes at each statement of the first,
               ///< unless the second goes by its memory
  snapshot,    ///< the second reads, statement by statement, while the first writes
  remembered   ///< two actors: the first goes by its memory, the second looks first
};

struct Scenario {
  std::string name;  ///< of the files
  std::string what;  ///< in a sentence
  std::function<void(const RecordedBooks&)> before;
  std::vector<Actor> actors;
  Interleaving interleaving = Interleaving::trips;
};

std::vector<Scenario> isolation_scenarios();

}  // namespace accounting::testing
