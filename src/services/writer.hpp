// Writer: the one way in which commands reach the books.
#pragma once

#include "accounting/credits.hpp"
#include "domain/command.hpp"
#include "services/context.hpp"

#include <exception>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace accounting::services {

/// Carries commands out, each by itself, though they may share transactions with each other and
/// with those of other callers. Answers, in order, for each its result or what went wrong with it.
/// In the context's transaction a failure of the database is thrown. `latest`: the deadline of the
/// call that they are a part of, if any.
std::vector<std::variant<domain::Result, std::exception_ptr>> execute_each(
    const Context& context, std::span<const domain::Command> commands,
    store::Deadline latest = store::Deadline::max());

/// Carries commands out in a transaction of their own, all or none, and answers each, in order. The
/// first refusal is thrown, and says which request it is about.
std::vector<domain::Result> execute_together(const Context& context,
                                             std::span<const domain::Command> commands);

/// Carries one command out.
domain::Result execute(const Context& context, const domain::Command& command);

/// The same; throws where it is refused.
template <class Answer>
Answer execute_one(const Context& context, const domain::Command& command) {
  domain::Result result = execute(context, command);
  if (const auto* refusal = std::get_if<domain::Refusal>(&result)) {
    domain::throw_refusal(*refusal);
  }
  return std::get<Answer>(std::get<domain::Answer>(std::move(result)));
}

}  // namespace accounting::services
