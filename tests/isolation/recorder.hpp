// Recorder: plays a scenario's calls one after the other, in every order, and keeps what the
// library sends as the steps of an isolation test.
#pragma once

#include "scenarios.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace accounting::testing {

using Names = std::vector<std::string>;

std::string joined(const Names& names, const std::string& separator);

/// One actor's call, as it went after those of others.
struct Performance {
  Names steps;
  std::size_t locks_at = 0;  ///< the number of steps after which the actor has its locks
  bool changes = false;      ///< it committed something
  std::string outcome;
};

/// A step of the actor that ends when the one before has, so that its locks are had.
std::string ready_step(const std::string& actor);

class ScenarioRecorder {
 public:
  /// The database of `options` is emptied for each order.
  ScenarioRecorder(const Scenario& scenario, const Options& options);

  /// How the actor's call goes after those of the others; with `raced`, where it has looked before
  /// them what there is to do.
  [[nodiscard]] const Performance& performance(const std::string& actor, const Names& history = {},
                                               bool raced = false) const;

  /// An isolation test without its permutations.
  [[nodiscard]] std::string head() const;

 private:
  /// Each actor's, by its name.
  using Processes = std::map<std::string, RecordedBooks>;

  void play(const Names& order);
  /// The actor looks what there is to do; then the others come; then it goes on.
  void play_raced(const Names& history, const std::string& actor);
  /// At work on books as they are when the scenario begins.
  [[nodiscard]] Processes fresh_processes();
  [[nodiscard]] const Actor& actor(const std::string& name) const;

  void keep_setup(const std::vector<RecordedTrip>& trips);
  Performance keep_steps(const std::string& actor, const Names& history,
                         const std::vector<RecordedTrip>& trips);
  void keep_step(Performance& performance, const std::string& actor, const std::string& word,
                 const Names& history, const std::vector<RecordedStatement>& statements);
  std::string session(const std::string& actor) const;

  const Scenario& scenario_;
  Options options_;
  std::string setup_;
  std::map<std::string, std::string> steps_;                            ///< by name
  std::map<std::string, Names> step_names_;                             ///< of an actor
  std::map<std::string, std::map<std::string, std::string>> prepared_;  ///< of an actor, by name
  std::map<std::pair<Names, std::string>, Performance> performances_;
  std::map<std::pair<Names, std::string>, Performance> raced_;
};

}  // namespace accounting::testing
