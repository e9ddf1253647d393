// Sequence: batches of commands as plain data, made from a seed; the same seed, the same sequence.
#pragma once

#include "accounting/options.hpp"
#include "accounting/pricing.hpp"
#include "domain/command.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace accounting::testing {

/// Whether what belongs together is one transaction of the caller's, and how that ends.
enum class Together { no, committed, rolled_back };

/// One batch: its time, which of the policies is in force, and how much of each account is loaded
/// at first.
struct Step {
  Timestamp now;
  std::size_t policy = 0;
  std::int64_t prefix = 1;
  Together together = Together::no;
  std::vector<domain::Command> commands;
};

struct Sequence {
  std::uint64_t seed = 0;
  std::vector<std::string> users;  ///< the accounts that exist; commands may name others
  std::vector<PricingRule> rules;
  std::vector<Policy> policies;
  std::vector<Step> steps;
};

Sequence random_sequence(std::uint64_t seed);

/// An instant, as what has passed since the start of every sequence.
std::string since(Timestamp instant);
std::string since(const std::optional<Timestamp>& instant);
/// What a request says, as the fingerprint of its idempotency key does.
std::string text_of(const domain::Action& action);
std::string text_of(const domain::Result& result);
std::string text_of(const Sequence& sequence);

}  // namespace accounting::testing
