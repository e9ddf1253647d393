// Credits: allocations that expire, what is taken from them, and the journal of every change.
#pragma once

#include <accounting/export.hpp>
#include <accounting/types.hpp>
#include <accounting/usage.hpp>

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

/// Credits given to an account for a time. At any moment
/// total = remaining + held + consumed + revoked + moved.
/// Active while `effective_at` ≤ now < `expires_at`, not revoked and remaining > 0.
struct CreditAllocation {
  std::int64_t id = 0;  ///< counts from 1 within the account
  std::string user_id;
  std::int64_t total_credits = 0;
  std::int64_t remaining_credits = 0;  ///< what can still be taken; kept also past the expiry
  std::int64_t held_credits = 0;       ///< in active streaming sessions
  std::int64_t consumed_credits = 0;   ///< paid for use
  std::int64_t revoked_credits = 0;    ///< taken out for good
  std::int64_t moved_credits = 0;      ///< refunded into other allocations (`new_allocation`)
  std::string allocated_by;
  Timestamp allocated_at;
  Timestamp effective_at;
  std::optional<Timestamp> expires_at;  ///< none: never expires
  std::string notes;
  std::optional<Timestamp> revoked_at;
  std::optional<std::string> revoked_by;

  friend bool operator==(const CreditAllocation&, const CreditAllocation&) = default;
};

/// Which allocation gave how much.
struct Slice {
  std::int64_t allocation_id = 0;
  std::int64_t credits = 0;

  friend bool operator==(const Slice&, const Slice&) = default;
};

struct Balance {
  std::int64_t total_credits = 0;  ///< what can be spent now: the sum over the active allocations
  std::int64_t held_credits = 0;   ///< in active streaming sessions, not part of the total
  std::vector<CreditAllocation> active_allocations;  ///< in burn order

  friend bool operator==(const Balance&, const Balance&) = default;
};

struct Deduction {
  std::int64_t credits = 0;
  std::vector<Slice> slices;  ///< in burn order

  friend bool operator==(const Deduction&, const Deduction&) = default;
};

struct Charge {
  UsageRecord usage_record;
  Deduction deduction;

  friend bool operator==(const Charge&, const Charge&) = default;
};

/// What a journal entry did to its allocation.
enum class EntryKind {
  allocate,  ///< credits came into being
  deduct,    ///< remaining → consumed, by `deduct`
  charge,    ///< remaining → consumed, by `charge`
  hold,      ///< remaining → held, by `initialize` or `extend`
  settle,    ///< held → consumed, at the end of a session
  refund,    ///< held → remaining, at the end of a session
  move,      ///< held → moved, into a refund allocation
  overage,   ///< remaining → consumed, beyond a session's hold
  revoke     ///< remaining → revoked
};

/// The stored word, for example "allocate".
ACCOUNTING_EXPORT std::string_view to_string(EntryKind kind) noexcept;

/// One line of an account's journal; never changed once written. The sums of `credits` and of
/// `held_credits` over an allocation's entries are its remaining and its held credits.
struct CreditEntry {
  std::int64_t sequence = 0;  ///< counts from 1 within the account, without gaps
  std::string user_id;
  std::int64_t allocation_id = 0;
  EntryKind kind = EntryKind::allocate;
  std::int64_t credits = 0;       ///< signed change of the remaining credits
  std::int64_t held_credits = 0;  ///< signed change of the held credits
  std::optional<std::string> session_id;
  std::optional<std::int64_t> usage_id;
  std::string actor;  ///< who asked: the host, or a principal
  Timestamp created_at;
  /// SHA-256 over this entry and the hash of the one before, in 64 hexadecimal digits; empty for
  /// entries that are older than version 3 of the schema.
  std::string hash;

  friend bool operator==(const CreditEntry&, const CreditEntry&) = default;
};

/// At most one of `expiry_days`, `expires_at` and `never_expires`; none of them takes the
/// policy's days.
struct AllocateRequest {
  std::string user_id = {};
  std::int64_t credits = 0;  ///< 1 … 10^15
  std::string allocated_by;  ///< 1 … 50 bytes; need not be an account
  std::optional<std::int64_t> expiry_days = std::nullopt;  ///< 1 … 10^6, from now
  std::optional<Timestamp> expires_at = std::nullopt;      ///< after now and after `effective_at`
  bool never_expires = false;
  std::optional<Timestamp> effective_at = std::nullopt;       ///< none: now
  std::string notes = {};                                     ///< ≤ 10,000 bytes
  std::optional<std::string> idempotency_key = std::nullopt;  ///< 1 … 255 bytes
};

struct BalanceRequest {
  std::string user_id = {};
};

struct CheckRequest {
  std::string user_id = {};
  std::int64_t credits = 0;  ///< 0 … 10^15
};

struct DeductRequest {
  std::string user_id = {};
  std::int64_t credits = 0;                                   ///< 1 … 10^15
  std::optional<std::string> idempotency_key = std::nullopt;  ///< 1 … 255 bytes
};

struct ChargeRequest {
  std::string user_id = {};
  std::string service;       ///< 1 … 50 bytes
  std::string operation;     ///< 1 … 100 bytes
  std::int64_t credits = 0;  ///< 1 … 10^15
  std::optional<std::string> metadata =
      std::nullopt;  ///< JSON, ≤ 64 KiB, 64 levels, integers of 64 bits
  std::optional<std::string> idempotency_key = std::nullopt;  ///< 1 … 255 bytes
};

struct HistoryRequest {
  std::string user_id = {};
  std::int64_t page = 1;    ///< ≥ 1
  std::int64_t limit = 20;  ///< 1 … 1,000
};

struct EntriesRequest {
  std::string user_id = {};
  std::int64_t after = 0;    ///< entries with a larger sequence
  std::int64_t limit = 100;  ///< 1 … 1,000
};

struct RevokeRequest {
  std::int64_t allocation_id = 0;
  std::string user_id = {};
  std::string revoked_by;  ///< 1 … 50 bytes; need not be an account
};

/// Credits of accounts. Credits are whole numbers; arguments named `credits` take 1 … 10^15
/// (`check`: 0 … 10^15). Thread-safe; a cheap handle that may be copied and that keeps the books
/// open. Every call may throw InvalidArgument, NotFound (no such account) and StoreError.
class ACCOUNTING_EXPORT Credits {
 public:
  explicit Credits(std::shared_ptr<const services::Context> context);

  /// Gives credits to an account. Errors: Conflict (the key was used for another request).
  CreditAllocation allocate(const AllocateRequest& request);
  /// All of the allocations or none of them; answers in the order of the requests.
  std::vector<CreditAllocation> allocate_many(const std::vector<AllocateRequest>& requests);

  /// What the account can spend now, and from where.
  [[nodiscard]] Balance balance(const BalanceRequest& request = {}) const;
  [[nodiscard]] Balance balance(std::string_view user_id) const {
    return balance(BalanceRequest{.user_id = std::string(user_id)});
  }
  /// True where the account could spend `credits` now. Another call may be faster: to spend,
  /// call `deduct` or `charge` and handle InsufficientCredits.
  [[nodiscard]] bool check(const CheckRequest& request) const;

  /// Takes credits in burn order, all or nothing. Errors: Conflict, InsufficientCredits.
  Deduction deduct(const DeductRequest& request);
  /// Takes credits and records the use in one step. Errors: Conflict, InsufficientCredits.
  Charge charge(const ChargeRequest& request);
  /// Each request by itself: the answer or the error of each, in order.
  std::vector<Outcome<Charge>> charge_many(const std::vector<ChargeRequest>& requests);

  /// All allocations of the account in any state, newest first.
  [[nodiscard]] Page<CreditAllocation> history(const HistoryRequest& request = {}) const;
  /// The journal, oldest first, from after a sequence number.
  [[nodiscard]] std::vector<CreditEntry> entries(const EntriesRequest& request = {}) const;

  /// Takes what remains of an allocation out of the balance for good; what sessions hold of it
  /// stays held, and what comes back of that is revoked too. Again: the same answer.
  CreditAllocation revoke(const RevokeRequest& request);

 private:
  std::shared_ptr<const services::Context> context_;
};

}  // namespace accounting
