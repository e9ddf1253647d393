#include "simulation/shrink_history.hpp"

#include "simulation/world.hpp"

#include <algorithm>
#include <utility>

namespace accounting::testing {
namespace {

bool fails(const History& history, StoreBug bug) {
  Tally ignored;
  return World(history, ignored, bug).play().has_value();
}

/// Null where it is not a deed of several.
std::vector<domain::Command>* commands_of(Deed& deed) {
  if (auto* many = std::get_if<CallMany>(&deed)) {
    return &many->commands;
  }
  auto* at_once = std::get_if<CallAtOnce>(&deed);
  return at_once != nullptr ? &at_once->commands : nullptr;
}

/// Leaves out the thing with that number, counted through the whole tree: an event, a mishap, or
/// one of several commands. False where there are fewer.
bool leave_out(std::vector<Turn>& turns, std::size_t& number) {
  for (auto turn = turns.begin(); turn != turns.end(); ++turn) {
    if (number-- == 0) {
      turns.erase(turn);
      return true;
    }
    for (auto mishap = turn->mishaps.begin(); mishap != turn->mishaps.end(); ++mishap) {
      if (number-- == 0) {
        turn->mishaps.erase(mishap);
        return true;
      }
      if (leave_out(mishap->meanwhile, number)) {
        return true;
      }
    }
    std::vector<domain::Command>* commands = commands_of(turn->deed);
    for (std::size_t index = 0;
         commands != nullptr && commands->size() > 1 && index < commands->size(); ++index) {
      if (number-- == 0) {
        commands->erase(commands->begin() + static_cast<std::ptrdiff_t>(index));
        return true;
      }
    }
  }
  return false;
}

bool try_without_turns(History& history, StoreBug bug, std::size_t first, std::size_t count) {
  History tried = history;
  const auto begin = tried.turns.begin() + static_cast<std::ptrdiff_t>(first);
  tried.turns.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
  if (!fails(tried, bug)) {
    return false;
  }
  history = std::move(tried);
  return true;
}

/// Long stretches first, from the end.
void leave_out_stretches(History& history, StoreBug bug) {
  for (std::size_t stretch = history.turns.size() / 2; stretch > 0; stretch /= 2) {
    for (std::size_t end = history.turns.size(); end >= stretch;) {
      const std::size_t first = end - stretch;
      try_without_turns(history, bug, first, stretch);
      end = std::min(first, history.turns.size());
    }
  }
}

}  // namespace

History shrink(History history, StoreBug bug) {
  leave_out_stretches(history, bug);
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (std::size_t number = 0;;) {
      History tried = history;
      std::size_t left = number;
      if (!leave_out(tried.turns, left)) {
        break;
      }
      if (fails(tried, bug)) {
        history = std::move(tried);
        smaller = true;
      } else {
        number += 1;
      }
    }
  }
  return history;
}

std::string explain_failure(const History& history, StoreBug bug) {
  const History smallest = shrink(history, bug);
  Tally ignored;
  std::string log;
  const Complaint problem = World(smallest, ignored, bug, &log).play();
  return "ACCOUNTING_TEST_SEED=" + std::to_string(history.seed) + " fails. Of its " +
         std::to_string(size_of(history.turns)) + " events and mishaps " +
         std::to_string(size_of(smallest.turns)) + " are enough:\n" + text_of_world(smallest) +
         log + problem.value_or("it does not fail a second time");
}

}  // namespace accounting::testing
