// Spec: a scenario as a test of PostgreSQL's isolationtester, made of what the library itself
// sends.
#pragma once

#include "scenarios.hpp"

#include <string>
#include <vector>

namespace accounting::testing {

/// One way in which a scenario's steps follow one another.
struct Permutation {
  std::vector<std::string> steps;
  /// The actors whose calls took effect, in order. Permutations with the same ones must leave the
  /// same books behind.
  std::vector<std::string> history;
};

struct Spec {
  std::string head;  ///< the file without its permutations
  std::vector<Permutation> permutations;

  /// The file with all of them, or with some.
  [[nodiscard]] std::string text(const std::vector<Permutation>& some) const;
};

/// Plays the scenario in every order of its actors on the database of `options`, which is emptied
/// for each, and puts the steps together from what was sent.
Spec spec_of(const Scenario& scenario, const Options& options);

}  // namespace accounting::testing
