#include "lockstep/long_sequence.hpp"

#include "property/composer.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

namespace accounting::testing {
namespace {

Together together(Random& random) {
  if (!random.chance(15)) {
    return Together::no;
  }
  return random.chance(70) ? Together::committed : Together::rolled_back;
}

/// More allocations than a writer loads at first, made while the clock goes back, so that many
/// expire together and the older ones have the larger ids; and what takes most of them.
void add_deep_steps(Random& random, Composer& composer, Sequence& sequence) {
  const Timestamp begin = composer.now();
  const std::int64_t count = random.between(40, 46);
  // Where loading stops: among those that never expire, or among those that expire together.
  const std::int64_t lasting = random.chance(50) ? 50 : 5;
  for (std::int64_t made = 0; made < count; ++made) {
    domain::Allocate allocate{.credits = 1, .allocated_by = "admin"};
    allocate.never_expires = random.chance(lasting);
    if (!allocate.never_expires) {
      allocate.expires_at = begin + std::chrono::days(random.between(1, 2));
    }
    if (made % 10 == 0) {
      sequence.steps.push_back({.now = begin - std::chrono::hours(made)});
    }
    sequence.steps.back().commands.push_back(
        {.user_id = "ada", .actor = "host", .key = std::nullopt, .action = allocate});
  }
  sequence.steps.push_back({.now = begin});
  for (const std::int64_t credits : {random.between(20, 33), random.between(1, 20)}) {
    sequence.steps.back().commands.push_back({.user_id = "ada",
                                              .actor = "host",
                                              .key = std::nullopt,
                                              .action = domain::Deduct{.credits = credits}});
  }
}

}  // namespace

Sequence long_sequence(std::uint64_t seed) {
  Random random(seed ^ 0x10C557E9U);
  Composer composer(random.next());
  Sequence sequence = composer.compose_world();
  sequence.seed = seed;
  std::int64_t left = random.chance(60) ? random.between(5, 20) : random.between(20, 50);
  if (random.chance(8)) {
    add_deep_steps(random, composer, sequence);
    left = most_operations - size_of(sequence);
  }
  while (left > 0) {
    if (!sequence.steps.empty()) {
      composer.set_now(composer.next_instant());
    }
    Step step;
    step.now = composer.now();
    step.policy = static_cast<std::size_t>(random.next() % sequence.policies.size());
    step.together = together(random);
    const std::int64_t count = std::min(left, random.between(1, 5));
    for (std::int64_t made = 0; made < count; ++made) {
      domain::Command command = composer.command(sequence.policies[step.policy]);
      command.actor = "host";  // who else may act has tests of its own
      step.commands.push_back(std::move(command));
    }
    left -= count;
    sequence.steps.push_back(std::move(step));
  }
  return sequence;
}

Sequence with_own_names(Sequence sequence, const std::string& suffix) {
  const std::string priced =
      sequence.rules.empty() ? std::string() : sequence.rules.front().model_id;
  for (std::string& user : sequence.users) {
    user += suffix;
  }
  for (PricingRule& rule : sequence.rules) {
    rule.model_id += suffix;
  }
  for (Step& step : sequence.steps) {
    for (domain::Command& command : step.commands) {
      command.user_id += suffix;
      auto* begins = std::get_if<domain::Initialize>(&command.action);
      if (begins != nullptr && begins->model_id == priced) {
        begins->model_id += suffix;
      }
    }
  }
  return sequence;
}

std::int64_t size_of(const Sequence& sequence) {
  std::int64_t operations = 0;
  for (const Step& step : sequence.steps) {
    operations += std::ssize(step.commands);
  }
  return operations;
}

}  // namespace accounting::testing
