// Desk: the ledger with a store in memory and a clock in the hand, for tests that read as rules.
#pragma once

#include "property/memory_store.hpp"
// The constants of all tests, and how failed checks print values.
#include "support/books.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace accounting::testing {

/// "ok", or the refusal: "not_found", "invalid_argument(expires_at)",
/// "insufficient_credits(required 5, available 3)".
inline std::string said(const domain::Refusal& refusal) {
  std::string text(to_string(refusal.code));
  if (!refusal.argument.empty()) {
    text += "(" + refusal.argument + ")";
  }
  if (refusal.code == ErrorCode::insufficient_credits) {
    text += "(required " + std::to_string(refusal.required) + ", available " +
            std::to_string(refusal.available) + ")";
  }
  return text;
}

inline std::string said(const domain::Result& result) {
  if (const auto* refusal = std::get_if<domain::Refusal>(&result)) {
    return said(*refusal);
  }
  return std::holds_alternative<domain::NeedMore>(result) ? "need more" : "ok";
}

/// The answer, which must be of that type.
template <class Value>
Value answer(const domain::Result& result) {
  REQUIRE(said(result) == "ok");
  return std::get<Value>(std::get<domain::Answer>(result));
}

/// A command of ada's; with a key, its fingerprint is `body`.
inline domain::Command command(domain::Action action, const std::string& key = "",
                               const std::string& body = "") {
  domain::Command made{
      .user_id = "ada", .actor = "host", .key = std::nullopt, .action = std::move(action)};
  if (!key.empty()) {
    made.key = domain::IdempotencyKey{.key = key, .fingerprint = body};
  }
  return made;
}

/// The account `ada`, the model `m` at 1 credit per token, and no buffer unless a policy says so.
class Desk {
 public:
  Desk() : Desk(Policy{.buffer = 0}) {}
  explicit Desk(Policy with_policy) : policy(std::move(with_policy)) {
    store.add_account("ada");
    store.add_rule({.id = 1,
                    .model_id = "m",
                    .price_per_1k_tokens = 1'000,
                    .effective_from = kStart - std::chrono::days(365)});
  }

  std::vector<domain::Result> batch(const std::vector<domain::Command>& commands) {
    return run_batch(store, commands, now, policy, prefix).results;
  }
  domain::Result ask(const domain::Command& asked) { return batch({asked}).front(); }
  domain::Result ask(domain::Action action) { return ask(command(std::move(action))); }

  /// Gives credits that expire after some days; 0: never.
  void give(std::int64_t credits, std::int64_t for_days = 30) {
    domain::Allocate request{.credits = credits, .allocated_by = "admin"};
    if (for_days > 0) {
      request.expiry_days = for_days;
    } else {
      request.never_expires = true;
    }
    REQUIRE(said(ask(request)) == "ok");
  }
  void begin(const std::string& session_id, std::int64_t tokens) {
    REQUIRE(said(ask(domain::Initialize{session_id, "m", tokens})) == "ok");
  }
  Settlement finish(const std::string& session_id, std::int64_t tokens) {
    return answer<Settlement>(ask(domain::Finalize{session_id, tokens}));
  }

  [[nodiscard]] const domain::AccountRows& rows() const { return store.account("ada"); }
  [[nodiscard]] const CreditAllocation& allocation(std::int64_t id) const {
    return rows().allocations.at(static_cast<std::size_t>(id - 1));
  }
  [[nodiscard]] std::int64_t remaining(std::int64_t id) const {
    return allocation(id).remaining_credits;
  }
  [[nodiscard]] const domain::SessionRecord& session(const std::string& session_id) const {
    const auto found = find_session(rows().sessions, session_id);
    REQUIRE(found != rows().sessions.end());
    return *found;
  }
  /// The journal, from after the first `skipped` entries: "hold 5 of #1, settle 3 of #1".
  [[nodiscard]] std::string journal(std::size_t skipped) const {
    std::string text;
    for (std::size_t index = skipped; index < rows().entries.size(); ++index) {
      const CreditEntry& entry = rows().entries[index];
      const std::int64_t moved = entry.credits != 0 ? entry.credits : entry.held_credits;
      text += (text.empty() ? "" : ", ") + std::string(to_string(entry.kind)) + " " +
              std::to_string(moved < 0 ? -moved : moved) + " of #" +
              std::to_string(entry.allocation_id);
    }
    return text;
  }
  /// The invariants that do not hold; empty where the books balance.
  [[nodiscard]] std::string broken() const {
    const auto problems = domain::check_invariants(rows());
    return problems.empty() ? "" : problems.front().invariant + ": " + problems.front().detail;
  }

  MemoryStore store;
  Policy policy;
  Timestamp now = kStart;
  std::int64_t prefix = 1'000;
};

}  // namespace accounting::testing
