#include "domain/command.hpp"

namespace accounting::domain {

bool replays(const Command& command) {
  const bool by_itself = std::visit(
      [](const auto& action) {
        using A = std::decay_t<decltype(action)>;
        return std::is_same_v<A, Revoke> || std::is_same_v<A, Initialize> ||
               std::is_same_v<A, Report> || std::is_same_v<A, Finalize> ||
               std::is_same_v<A, Abort> || std::is_same_v<A, Expire>;
      },
      command.action);
  return by_itself || command.key.has_value();
}

std::vector<const Command*> pointers_to(std::span<const Command> commands) {
  std::vector<const Command*> pointers;
  pointers.reserve(commands.size());
  for (const Command& command : commands) {
    pointers.push_back(&command);
  }
  return pointers;
}

void throw_refusal(const Refusal& refusal) {
  switch (refusal.code) {
    case ErrorCode::invalid_argument:
      throw InvalidArgument(refusal.argument, refusal.message);
    case ErrorCode::not_found:
      throw NotFound(refusal.message);
    case ErrorCode::insufficient_credits:
      throw InsufficientCredits(refusal.required, refusal.available);
    case ErrorCode::price_not_found:
      throw PriceNotFound(refusal.message);
    case ErrorCode::session_closed:
      throw SessionClosed(refusal.message);
    default:
      throw Conflict(refusal.message);
  }
}

}  // namespace accounting::domain
