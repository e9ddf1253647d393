// Writer: load, decide, store. The one way in which commands reach the books.
#pragma once

#include "domain/command.hpp"
#include "services/context.hpp"

#include <span>
#include <string>
#include <vector>

namespace accounting::services {

/// Whether commands stand alone (each is answered or refused by itself) or take effect together.
enum class Together { no, yes };

/// Carries commands out in one transaction and answers each, in order. With `Together::yes` the
/// first refusal is thrown and nothing takes effect.
std::vector<domain::Result> execute(const Context& context,
                                    std::span<const domain::Command> commands,
                                    Together together = Together::no);

/// Carries one command out; throws where it is refused.
template <class Answer>
Answer execute_one(const Context& context, const domain::Command& command) {
  std::vector<domain::Result> results = execute(context, std::span(&command, 1), Together::yes);
  return std::get<Answer>(std::get<domain::Answer>(std::move(results.front())));
}

}  // namespace accounting::services
