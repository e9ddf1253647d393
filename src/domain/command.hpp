// Command: one request to change the books. What can be asked of the ledger, and what it answers.
#pragma once

#include "accounting/credits.hpp"
#include "accounting/error.hpp"
#include "accounting/sessions.hpp"
#include "accounting/usage.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace accounting::domain {

struct Allocate {
  std::int64_t credits = 0;
  std::string allocated_by;
  std::optional<std::int64_t> expiry_days;
  std::optional<Timestamp> expires_at;
  bool never_expires = false;
  std::optional<Timestamp> effective_at;
  std::string notes;
};

struct Deduct {
  std::int64_t credits = 0;
};

/// A use and its price, whose credits are taken (`Charge`) or not (`Record`).
struct UsageDetails {
  std::string service;
  std::string operation;
  std::int64_t credits = 0;
  std::optional<std::string> metadata;  ///< canonical JSON
};
struct ChargeUsage {
  UsageDetails usage;
};
struct RecordUsage {
  UsageDetails usage;
};

struct Revoke {
  std::int64_t allocation_id = 0;
  std::string revoked_by;
};

struct Initialize {
  std::string session_id;
  std::string model_id;
  Tokens estimated_tokens;
};

struct Report {
  std::string session_id;
  Tokens tokens_so_far;
};

struct Extend {
  std::string session_id;
  Tokens additional_tokens;
};

struct Finalize {
  std::string session_id;
  Tokens actual_tokens;
  bool success = true;
};

struct Abort {
  std::string session_id;
  Tokens tokens_generated;
};

/// Ends a session that has gone without a sign of life; answers NothingToDo where it has not.
struct Expire {
  std::string session_id;
};

using Action = std::variant<Allocate, Deduct, ChargeUsage, RecordUsage, Revoke, Initialize, Report,
                            Extend, Finalize, Abort, Expire>;

/// A caller's name for one request; `fingerprint` tells a repetition from another request.
struct IdempotencyKey {
  std::string key;
  std::string fingerprint;
};

struct Command {
  std::string user_id;
  std::string actor;
  std::optional<IdempotencyKey> key;
  Action action;
};

/// True where the same command again cannot take effect twice.
bool replays(const Command& command);

/// Of commands that stand together, where each is: those of several callers do not.
std::vector<const Command*> pointers_to(std::span<const Command> commands);

struct NothingToDo {
  friend bool operator==(const NothingToDo&, const NothingToDo&) = default;
};

using Answer = std::variant<CreditAllocation, Deduction, Charge, UsageRecord, StreamingSession,
                            Settlement, NothingToDo>;

/// Why a command changed nothing: one of the library's errors as a value.
struct Refusal {
  ErrorCode code = ErrorCode::invalid_argument;
  std::string message;         ///< for invalid_argument: what was expected
  std::string argument;        ///< for invalid_argument
  std::int64_t required = 0;   ///< for insufficient_credits
  std::int64_t available = 0;  ///< for insufficient_credits

  friend bool operator==(const Refusal&, const Refusal&) = default;
};

/// Throws the error that a refusal stands for.
[[noreturn]] void throw_refusal(const Refusal& refusal);

/// The decision needs allocations beyond the prefix that was loaded.
struct NeedMore {
  friend bool operator==(const NeedMore&, const NeedMore&) = default;
};

using Result = std::variant<Answer, Refusal, NeedMore>;

}  // namespace accounting::domain
