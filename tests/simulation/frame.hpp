// Frame: one call on its way, what met it, and what the reference says that it comes to.
#pragma once

#include "accounting/accounting.hpp"
#include "property/reference_books.hpp"
#include "property/requests.hpp"
#include "simulation/history.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace accounting::testing {

/// How a try of a call failed.
struct Failure {
  enum class Kind { try_again, connection_lost, commit_unknown, refused, busy } kind;
  std::chrono::steady_clock::duration after{};  ///< since the call began
};

/// What may be answered for one command, and how often it took effect.
struct Decided {
  std::vector<domain::Result> allowed;
  int effects = 0;
  /// The rows would be the same without it: of two reports in one transaction only the larger is
  /// there to see.
  bool covered = false;
  bool acknowledged = false;
};

/// How commands share transactions: all in one or none; or each by itself, in halves if need be.
enum class Sharing { together, halves };

struct Frame {
  const Turn* turn = nullptr;
  std::size_t client = 0;
  std::array<int, points> met{};
  std::vector<Failure> failures;
  bool left_out = false;  ///< accounts that another held were, once at least
  std::chrono::steady_clock::time_point began;

  std::vector<domain::Command> commands;
  Sharing sharing = Sharing::together;
  std::vector<Decided> decided;             ///< one for each command
  std::vector<std::size_t> last_committed;  ///< commands of the last commit

  std::optional<SyncRequest> sync;
  std::optional<SyncResult> synced;
  std::optional<SetPriceRequest> price;
  std::variant<std::monostate, PricingRule, domain::Refusal> priced;

  void carry(std::vector<domain::Command> given, Sharing shared) {
    commands = std::move(given);
    sharing = shared;
    decided.assign(commands.size(), {});
  }
};

/// What a run and many runs met.
struct Tally {
  std::int64_t runs = 0;
  std::int64_t steps = 0;
  /// By the point at which it happened, and its kind.
  std::array<std::array<std::int64_t, mishap_kinds>, points> mishaps{};
  std::array<std::int64_t, points> points_met{};
  std::array<std::int64_t, std::variant_size_v<Deed>> deeds{};
  std::map<ErrorCode, std::int64_t> troubles;
  std::int64_t refusals = 0;
  std::int64_t acknowledged = 0;
  std::int64_t unknown_applied = 0;  ///< calls in doubt, or dead, that had taken effect
  std::int64_t unknown_dropped = 0;  ///< and those that had not
  std::int64_t settled_later = 0;    ///< calls in doubt whose repetition was answered
  std::int64_t lock_timeouts = 0;
  std::int64_t left_out = 0;         ///< accounts that were held, and not waited for
  std::int64_t halved = 0;           ///< shared transactions that were tried in halves
  std::int64_t from_memory = 0;      ///< transactions decided over what is remembered
  std::int64_t memory_outdated = 0;  ///< and those that came too late
  Census census;
};

}  // namespace accounting::testing
