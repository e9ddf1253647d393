#include "spec.hpp"

#include "recorder.hpp"

#include <algorithm>

namespace accounting::testing {
namespace {

Names operator+(Names first, const Names& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

Names until_locked(const Performance& performance) {
  return {performance.steps.begin(),
          performance.steps.begin() + static_cast<std::ptrdiff_t>(performance.locks_at)};
}

Names once_locked(const Performance& performance) {
  return {performance.steps.begin() + static_cast<std::ptrdiff_t>(performance.locks_at),
          performance.steps.end()};
}

/// Both actors, this one first.
std::vector<Permutation> of_trips(const ScenarioRecorder& recorder, const std::string& first,
                                  const std::string& second) {
  const Performance& ahead = recorder.performance(first);
  const Performance& alone = recorder.performance(second);
  const Performance& behind = recorder.performance(second, {first});
  const Performance& overtaken = recorder.performance(second, {first}, true);
  const Names both = {first, second};
  std::vector<Permutation> permutations = {
      {.steps = ahead.steps + behind.steps, .history = both},
      // The second waits for the first's locks, and then sees what it did.
      {.steps =
           until_locked(ahead) + until_locked(alone) + once_locked(ahead) + once_locked(overtaken),
       .history = both},
      // The first gives up, or its process ends.
      {.steps = until_locked(ahead) + until_locked(alone) + Names{first + "_rollback"} +
                once_locked(alone),
       .history = {second}}};
  if (ahead.changes && alone.changes && once_locked(alone) != once_locked(overtaken)) {
    // The second stores what it decided before the first: the database has to refuse that.
    permutations.push_back({.steps = ahead.steps + until_locked(alone) + once_locked(alone) +
                                     Names{second + "_rollback"},
                            .history = {first}});
  }
  return permutations;
}

/// Each comes while the one before is at work, and waits. Never two at once: which of them gets the
/// lock first is the server's choice.
Permutation in_order(const ScenarioRecorder& recorder, const Names& order) {
  Permutation permutation{.steps = {}, .history = order};
  Names& steps = permutation.steps;
  for (const std::string& actor : order) {
    Names finds = until_locked(recorder.performance(actor));
    finds.pop_back();
    steps = steps + finds;
  }
  steps.push_back(until_locked(recorder.performance(order.front())).back());
  Names history;
  for (std::size_t index = 0; index < order.size(); ++index) {
    const Performance& mine = recorder.performance(order[index], history, true);
    if (index > 0) {
      steps.push_back(ready_step(order[index]));
    }
    if (index + 1 < order.size()) {
      steps.push_back(until_locked(recorder.performance(order[index + 1])).back());
    }
    steps = steps + once_locked(mine);
    history.push_back(order[index]);
  }
  return permutation;
}

/// The second comes after each statement of the first, from the one that locks.
std::vector<Permutation> of_statements(const ScenarioRecorder& recorder, const std::string& first,
                                       const std::string& second) {
  const Performance& ahead = recorder.performance(first);
  const Performance& behind = recorder.performance(second, {first});
  std::vector<Permutation> permutations;
  for (auto at = ahead.locks_at; at <= ahead.steps.size(); ++at) {
    const auto split = ahead.steps.begin() + static_cast<std::ptrdiff_t>(at);
    permutations.push_back({.steps = Names{ahead.steps.begin(), split} + until_locked(behind) +
                                     Names{split, ahead.steps.end()} + once_locked(behind),
                            .history = {first, second}});
  }
  return permutations;
}

/// The second has the account when the first goes by its memory, or has been there: the first is
/// refused without waiting, and looks.
std::vector<Permutation> of_memory(const ScenarioRecorder& recorder, const std::string& first,
                                   const std::string& second) {
  const Performance& alone = recorder.performance(first);
  const Performance& other = recorder.performance(second);
  const Performance& refused = recorder.performance(first, {second});
  return {{.steps = alone.steps + recorder.performance(second, {first}).steps,
           .history = {first, second}},
          {.steps = other.steps + refused.steps, .history = {second, first}},
          {.steps = until_locked(other) + until_locked(refused) + once_locked(other) +
                    once_locked(refused),
           .history = {second, first}}};
}

/// The writer writes and commits after each statement of the reader.
std::vector<Permutation> of_snapshot(const ScenarioRecorder& recorder, const std::string& writer,
                                     const std::string& reader) {
  const Names& writes = recorder.performance(writer).steps;
  const Names& reads = recorder.performance(reader, {writer}).steps;
  std::vector<Permutation> permutations;
  for (std::size_t at = 0; at <= reads.size(); ++at) {
    const auto split = reads.begin() + static_cast<std::ptrdiff_t>(at);
    permutations.push_back(
        {.steps = Names{reads.begin(), split} + writes + Names{split, reads.end()},
         .history = {writer}});
  }
  return permutations;
}

void append(std::vector<Permutation>& all, const std::vector<Permutation>& some) {
  all.insert(all.end(), some.begin(), some.end());
}

bool remembers(const Scenario& scenario, const std::string& actor) {
  const auto found = std::ranges::find(scenario.actors, actor, &Actor::name);
  return found->call_before != nullptr;
}

std::vector<Permutation> permutations_of(const Scenario& scenario,
                                         const ScenarioRecorder& recorder) {
  Names order;
  for (const Actor& actor : scenario.actors) {
    order.push_back(actor.name);
  }
  std::vector<Permutation> all;
  if (scenario.interleaving == Interleaving::snapshot) {
    return of_snapshot(recorder, order.at(0), order.at(1));
  }
  if (scenario.interleaving == Interleaving::remembered) {
    return of_memory(recorder, order.at(0), order.at(1));
  }
  std::sort(order.begin(), order.end());
  do {
    if (scenario.interleaving == Interleaving::orders) {
      all.push_back(in_order(recorder, order));
    } else if (scenario.interleaving == Interleaving::statements) {
      if (!remembers(scenario, order.at(1))) {
        append(all, of_statements(recorder, order.at(0), order.at(1)));
      }
    } else {
      append(all, of_trips(recorder, order.at(0), order.at(1)));
    }
  } while (std::next_permutation(order.begin(), order.end()));
  return all;
}

}  // namespace

std::string Spec::text(const std::vector<Permutation>& some) const {
  std::string text = head;
  for (const Permutation& permutation : some) {
    text += "permutation " + joined(permutation.steps, " ") + " end\n";
  }
  return text;
}

Spec spec_of(const Scenario& scenario, const Options& options) {
  const ScenarioRecorder recorder(scenario, options);
  return {.head = recorder.head(), .permutations = permutations_of(scenario, recorder)};
}

}  // namespace accounting::testing
