// Writer: load, decide, store. The one way in which commands reach the books.
#pragma once

#include "domain/command.hpp"
#include "services/context.hpp"

#include <span>
#include <string>
#include <vector>

namespace accounting::services {

/// Whether commands stand alone (each is answered or refused by itself) or all take effect or none.
enum class Together { no, all };

/// Carries commands out in one transaction and answers each, in order. With `Together::all` the
/// first refusal is thrown, says which request it is about, and nothing takes effect.
std::vector<domain::Result> execute(const Context& context,
                                    std::span<const domain::Command> commands,
                                    Together together = Together::no);

/// Carries one command out; throws where it is refused.
template <class Answer>
Answer execute_one(const Context& context, const domain::Command& command) {
  domain::Result result = std::move(execute(context, std::span(&command, 1)).front());
  if (const auto* refusal = std::get_if<domain::Refusal>(&result)) {
    domain::throw_refusal(*refusal);
  }
  return std::get<Answer>(std::get<domain::Answer>(std::move(result)));
}

}  // namespace accounting::services
