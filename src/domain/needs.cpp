#include "domain/needs.hpp"

#include <algorithm>
#include <type_traits>

namespace accounting::domain {
namespace {

constexpr std::int64_t prefix_to_take_from = 32;
// The end of a session takes from the balance only where more was used than held. A report takes
// nothing; what is looked at for it serves the next call, which may find it remembered.
constexpr std::int64_t prefix_for_overage = 4;
constexpr std::int64_t growth = 32;
constexpr std::int64_t largest_prefix = 1'000'000'000;

template <class A>
constexpr bool names_session =
    std::is_same_v<A, Initialize> || std::is_same_v<A, Report> || std::is_same_v<A, Extend> ||
    std::is_same_v<A, Finalize> || std::is_same_v<A, Abort> || std::is_same_v<A, Expire>;

template <class A>
constexpr std::int64_t first_prefix() {
  if constexpr (std::is_same_v<A, Deduct> || std::is_same_v<A, ChargeUsage> ||
                std::is_same_v<A, Initialize> || std::is_same_v<A, Extend>) {
    return prefix_to_take_from;
  } else if constexpr (std::is_same_v<A, Finalize> || std::is_same_v<A, Abort> ||
                       std::is_same_v<A, Expire> || std::is_same_v<A, Report>) {
    return prefix_for_overage;
  } else {
    return 0;
  }
}

std::int64_t grown(std::int64_t prefix, int attempt) {
  for (; attempt > 0 && prefix < largest_prefix; --attempt) {
    prefix *= growth;
  }
  return prefix;
}

}  // namespace

Needs needs_of(std::span<const Command* const> commands, int attempt) {
  Needs needs;
  for (const Command* each : commands) {
    const Command& command = *each;
    AccountNeeds& account = needs.accounts[command.user_id];
    if (command.key) {
      account.keys.insert(command.key->key);
    }
    std::visit(
        [&](const auto& action) {
          using A = std::decay_t<decltype(action)>;
          if constexpr (names_session<A>) {
            account.sessions.insert(action.session_id);
          }
          if constexpr (std::is_same_v<A, Initialize>) {
            needs.models.insert(action.model_id);
          }
          if constexpr (std::is_same_v<A, Revoke>) {
            account.allocations.insert(action.allocation_id);
          }
          account.active_allocations =
              std::max(account.active_allocations, grown(first_prefix<A>(), attempt));
        },
        command.action);
  }
  return needs;
}

Needs needs_of(std::span<const Command> commands, int attempt) {
  return needs_of(pointers_to(commands), attempt);
}

}  // namespace accounting::domain
