// Sessions: credits held while an answer is generated, settled exactly once when it ends.
#pragma once

#include <accounting/export.hpp>
#include <accounting/price.hpp>
#include <accounting/types.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace accounting {

namespace services {
class Context;
}

enum class SessionStatus { active, completed, failed, aborted, expired };

/// The stored word: "active", "completed", "failed", "aborted", "expired".
ACCOUNTING_EXPORT std::string_view to_string(SessionStatus status) noexcept;

struct StreamingSession {
  std::string session_id;
  std::string user_id;
  std::string model_id;
  SessionStatus status = SessionStatus::active;
  Tokens estimated_tokens;                ///< the first estimate and all extensions
  std::optional<Tokens> reported_tokens;  ///< the largest reported of each kind; none: no report
  std::int64_t estimated_credits = 0;
  std::int64_t allocated_credits = 0;  ///< what was held: the estimate and the buffer
  std::int64_t used_credits = 0;       ///< 0 while active
  Timestamp started_at;
  Timestamp last_activity_at;  ///< the last sign of life
  Timestamp expires_at;        ///< from when on `expire_stale` may end it, unless it ended before
  std::optional<Timestamp> completed_at;  ///< none while active

  friend bool operator==(const StreamingSession&, const StreamingSession&) = default;
};

/// What the end of a session came to: allocated + overage = actual + refund. Collected for it were
/// min(actual, allocated) from the hold and, under the `charge` policy, overage − uncollected from
/// the balance.
struct Settlement {
  std::string user_id;
  std::string session_id;
  SessionStatus status = SessionStatus::completed;
  std::int64_t estimated_credits = 0;
  std::int64_t allocated_credits = 0;
  std::int64_t actual_credits = 0;  ///< what the tokens cost at the session's price
  std::int64_t refund = 0;          ///< max(0, allocated − actual): what went back
  std::int64_t overage = 0;         ///< max(0, actual − allocated)
  std::int64_t uncollected = 0;     ///< the part of the overage that the balance could not cover

  friend bool operator==(const Settlement&, const Settlement&) = default;
};

struct InitializeRequest {
  std::string session_id;  ///< 1 … 100 bytes, unique within the account
  std::string user_id = {};
  std::string model_id;     ///< 1 … 100 bytes
  Tokens estimated_tokens;  ///< 0 … 10^12
};

struct GetSessionRequest {
  std::string session_id;
  std::string user_id = {};
};

struct ReportRequest {
  std::string session_id;
  std::string user_id = {};
  Tokens tokens_so_far;  ///< 0 … 10^12, since the session began
};

struct ExtendRequest {
  std::string session_id;
  std::string user_id = {};
  Tokens additional_tokens;  ///< 0 … 10^12, on top of the estimate
  std::optional<std::string> idempotency_key = std::nullopt;  ///< 1 … 255 bytes
};

struct FinalizeRequest {
  std::string session_id;
  std::string user_id = {};
  Tokens actual_tokens;  ///< 0 … 10^12
  bool success = true;   ///< false: the session ends as failed; what was used is paid all the same
};

struct AbortRequest {
  std::string session_id;
  std::string user_id = {};
  Tokens tokens_generated = 0;  ///< 0 … 10^12; 0 is none in either form
};

struct ActiveSessionsRequest {
  std::string user_id = {};
};

struct ExpireStaleRequest {
  std::int64_t limit = 1'000;  ///< sessions at most, 1 … 1,000
};

/// Streaming sessions, identified by user and session id. Begun once, ended once: the same call
/// with the same arguments again answers the same and changes nothing, so every call but `extend`
/// without a key may be repeated after a lost answer. Thread-safe; a cheap handle that may be
/// copied and that keeps the books open. Every call may throw InvalidArgument, NotFound and
/// StoreError.
class ACCOUNTING_EXPORT Sessions {
 public:
  explicit Sessions(std::shared_ptr<const services::Context> context);

  /// Begins a session and holds its estimate and the buffer. Price and policy are kept with it.
  /// Known already: answers the stored session in its present state.
  /// Errors: Conflict (known with other arguments), PriceNotFound, InsufficientCredits.
  StreamingSession initialize(const InitializeRequest& request);

  [[nodiscard]] StreamingSession get(const GetSessionRequest& request) const;

  /// A sign of life: keeps the largest number of tokens reported. Errors: SessionClosed.
  StreamingSession report(const ReportRequest& request);

  /// Raises the estimate by `additional_tokens` and holds the difference, all or nothing.
  /// Errors: SessionClosed, Conflict, InsufficientCredits.
  StreamingSession extend(const ExtendRequest& request);

  /// Ends the session with what it really used. Errors: SessionClosed.
  Settlement finalize(const FinalizeRequest& request);
  /// Ends the session early, for the tokens generated until then. Errors: SessionClosed.
  Settlement abort(const AbortRequest& request);

  /// The account's active sessions, oldest first.
  [[nodiscard]] std::vector<StreamingSession> active(
      const ActiveSessionsRequest& request = {}) const;
  [[nodiscard]] std::vector<StreamingSession> active(std::string_view user_id) const {
    return active(ActiveSessionsRequest{.user_id = std::string(user_id)});
  }
  /// Every account's active sessions, oldest first.
  [[nodiscard]] std::vector<StreamingSession> all_active() const;

  /// Ends sessions that gave no sign of life for their `session_ttl`: charged for the tokens last
  /// reported, the rest refunded. Oldest sign of life first. Safe to run twice, or in two places.
  /// Sessions of an account that cannot be had now are left for the next call; throws only where
  /// none could be expired for that reason. Where a commit was not confirmed, sessions that this
  /// call ended may be missing from its answer; `get` has them.
  std::vector<Settlement> expire_stale(const ExpireStaleRequest& request = {});

 private:
  std::shared_ptr<const services::Context> context_;
};

}  // namespace accounting
