#include "property/play.hpp"

#include "property/comparison.hpp"
#include "property/memory_store.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace accounting::testing {
namespace {

class Player {
 public:
  Player(const Sequence& sequence, Census& census)
      : sequence_(sequence), census_(census), reference_(sequence.users, sequence.rules, census) {
    for (const std::string& user : sequence.users) {
      store_.add_account(user);
    }
    for (const PricingRule& rule : sequence.rules) {
      store_.add_rule(rule);
    }
  }

  std::optional<std::string> play() {
    for (const Step& step : sequence_.steps) {
      auto problem = play_step(step);
      for (const std::string& user : sequence_.users) {
        // No other account can have changed: every change names its account.
        const auto names_user = [&](const auto& command) { return command.user_id == user; };
        if (!problem && std::any_of(step.commands.begin(), step.commands.end(), names_user)) {
          problem = check_account(user);
        }
      }
      if (problem) {
        const auto index = &step - sequence_.steps.data();
        return "step " + std::to_string(index + 1) + ": " + *problem;
      }
    }
    return std::nullopt;
  }

 private:
  std::optional<std::string> play_step(const Step& step) {
    const Policy& policy = sequence_.policies.at(step.policy);
    const Round round = run_batch(store_, step.commands, step.now, policy, step.prefix);
    if (round.loaded_again > 0) {
      census_.note(Event::loaded_again);
    }
    for (std::size_t index = 0; index < step.commands.size(); ++index) {
      const domain::Command& command = step.commands[index];
      const domain::Result expected = reference_.decide(command, step.now, policy);
      note(command, expected);
      if (!same_result(round.results.at(index), expected)) {
        return command.user_id + ": " + text_of(command.action) + "\n  answers  " +
               text_of(round.results.at(index)) + "\n  expected " + text_of(expected);
      }
    }
    return std::nullopt;
  }

  std::optional<std::string> check_account(const std::string& user) {
    const domain::AccountRows& rows = store_.account(user);
    if (auto problem = difference(reference_.account(user), rows)) {
      return user + ": " + *problem;
    }
    if (auto problem = unbalanced(rows)) {
      return user + ": " + *problem;
    }
    const std::vector<Problem> problems = domain::check_invariants(rows);
    if (!problems.empty()) {
      return user + ": " + problems.front().invariant + ": " + problems.front().detail;
    }
    return std::nullopt;
  }

  void note(const domain::Command& command, const domain::Result& result) {
    const auto* refusal = std::get_if<domain::Refusal>(&result);
    const int code = refusal == nullptr ? -1 : static_cast<int>(refusal->code);
    census_.replies[{command.action.index(), code}] += 1;
  }

  const Sequence& sequence_;
  Census& census_;
  MemoryStore store_;
  ReferenceBooks reference_;
};

}  // namespace

std::optional<std::string> play(const Sequence& sequence, Census& census) {
  try {
    return Player(sequence, census).play();
  } catch (const std::exception& error) {
    return std::string("thrown: ") + error.what();
  }
}

Sequence shrink(Sequence sequence, const std::function<bool(const Sequence&)>& fails) {
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (std::size_t step = sequence.steps.size(); step-- > 0;) {
      for (std::size_t command = sequence.steps[step].commands.size(); command-- > 0;) {
        Sequence tried = sequence;
        auto& commands = tried.steps[step].commands;
        commands.erase(commands.begin() + static_cast<std::ptrdiff_t>(command));
        if (commands.empty()) {
          tried.steps.erase(tried.steps.begin() + static_cast<std::ptrdiff_t>(step));
        }
        if (fails(tried)) {
          sequence = std::move(tried);
          smaller = true;
        }
      }
    }
  }
  return sequence;
}

}  // namespace accounting::testing
