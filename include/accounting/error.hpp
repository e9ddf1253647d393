// Errors: one root, a stable code for every kind, and whether the same call may be made again.
#pragma once

#include <accounting/export.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace accounting {

/// The kinds of refusal. The names that `to_string` gives are stable across versions.
enum class ErrorCode {
  invalid_argument,      ///< an argument is outside its range; nothing was changed
  not_found,             ///< no such account, session, allocation or key
  conflict,              ///< contradicts what is stored
  insufficient_credits,  ///< the balance is short
  price_not_found,       ///< the model has no price
  session_closed,        ///< the session has ended
  unauthenticated,       ///< a token that does not prove who calls
  forbidden,             ///< who calls may not do this
  invalid_api_key,       ///< an API key that is unknown, inactive or expired
  store_error,           ///< the database refused or failed
  connection_lost,       ///< the database was out of reach; nothing was changed
  outcome_unknown,       ///< the commit was not confirmed; it may have taken effect
  migration_error        ///< the schema is not one that this version can work with
};

/// The stable lower-case word of a code, for example "insufficient_credits".
ACCOUNTING_EXPORT std::string_view to_string(ErrorCode code) noexcept;

/// Why a token was refused. For the host's own logs and for administrators: whoever sent the token
/// is to learn only that it was refused. The words that `to_string` gives are stable.
enum class TokenProblem {
  malformed,           ///< not three parts of base64url, or not a JSON object where one belongs
  too_large,           ///< above 8 KiB
  duplicate_member,    ///< a member of the header or of the claims stands there twice
  unsupported_header,  ///< `crit`, `b64` or `zip`, or a `kid` that is no string
  wrong_algorithm,     ///< `none`, an unknown algorithm, or another one than the key's
  unknown_key,         ///< `kid` names none of the keys
  bad_signature,       ///< no key verifies it
  missing_claim,       ///< a claim that every token must have is not there
  invalid_claim,       ///< a claim of the wrong kind, or one that makes no valid account
  expired,             ///< `exp` has come
  not_yet_valid,       ///< `nbf` or `iat` lies ahead
  wrong_type,          ///< `type` is not "access"
  wrong_issuer,        ///< `iss` is not the issuer of the options
  wrong_audience       ///< `aud` does not have the audience of the options
};

/// The stable lower-case word of a problem, for example "bad_signature".
ACCOUNTING_EXPORT std::string_view to_string(TokenProblem problem) noexcept;

/// The root of everything that the library throws. `what()` is a sentence for people that never
/// contains a secret, a bound value of a statement or a raw database message. After any error
/// but OutcomeUnknown nothing was changed.
class ACCOUNTING_EXPORT AccountingError : public std::runtime_error {
 public:
  AccountingError(ErrorCode code, const std::string& message, bool retryable = false);
  AccountingError(const AccountingError&) = default;
  AccountingError& operator=(const AccountingError&) = default;
  ~AccountingError() override;

  [[nodiscard]] ErrorCode code() const noexcept { return code_; }
  /// True where the same call may be made again without a risk of taking effect twice, and may
  /// then succeed.
  [[nodiscard]] bool retryable() const noexcept { return retryable_; }

 private:
  ErrorCode code_;
  bool retryable_;
};

/// An argument is missing, too long, malformed or out of range. `argument()` names it.
class ACCOUNTING_EXPORT InvalidArgument : public AccountingError {
 public:
  InvalidArgument(const std::string& argument, const std::string& expected);
  InvalidArgument(const InvalidArgument&) = default;
  InvalidArgument& operator=(const InvalidArgument&) = default;
  ~InvalidArgument() override;

  /// The argument's name as the caller wrote it, for example "expires_at".
  [[nodiscard]] const std::string& argument() const noexcept { return argument_; }
  /// What the argument may be, for example "a number from 1 to 1000".
  [[nodiscard]] const std::string& expected() const noexcept { return expected_; }

 private:
  std::string argument_;
  std::string expected_;
};

/// The account, session or allocation that was named is not there.
class ACCOUNTING_EXPORT NotFound : public AccountingError {
 public:
  explicit NotFound(const std::string& message);
  NotFound(const NotFound&) = default;
  NotFound& operator=(const NotFound&) = default;
  ~NotFound() override;
};

/// The request contradicts what is stored: a key or session id used for something else, a price
/// for a time that has one.
class ACCOUNTING_EXPORT Conflict : public AccountingError {
 public:
  explicit Conflict(const std::string& message, ErrorCode code = ErrorCode::conflict);
  Conflict(const Conflict&) = default;
  Conflict& operator=(const Conflict&) = default;
  ~Conflict() override;
};

/// The session has ended, by another call or with other arguments.
class ACCOUNTING_EXPORT SessionClosed : public Conflict {
 public:
  explicit SessionClosed(const std::string& message);
  SessionClosed(const SessionClosed&) = default;
  SessionClosed& operator=(const SessionClosed&) = default;
  ~SessionClosed() override;
};

/// The active allocations do not cover the amount. Nothing was taken.
class ACCOUNTING_EXPORT InsufficientCredits : public AccountingError {
 public:
  InsufficientCredits(std::int64_t required, std::int64_t available);
  InsufficientCredits(const InsufficientCredits&) = default;
  InsufficientCredits& operator=(const InsufficientCredits&) = default;
  ~InsufficientCredits() override;

  /// Credits that the call needed.
  [[nodiscard]] std::int64_t required() const noexcept { return required_; }
  /// Credits that were active in the account.
  [[nodiscard]] std::int64_t available() const noexcept { return available_; }

 private:
  std::int64_t required_;
  std::int64_t available_;
};

/// No pricing rule, default price or fallback price covers the model at that time.
class ACCOUNTING_EXPORT PriceNotFound : public AccountingError {
 public:
  explicit PriceNotFound(const std::string& message);
  PriceNotFound(const PriceNotFound&) = default;
  PriceNotFound& operator=(const PriceNotFound&) = default;
  ~PriceNotFound() override;
};

/// A token does not prove who calls. `what()` is the same sentence for every reason, so that it may
/// be sent to the caller; `reason()` is for the host's own logs.
class ACCOUNTING_EXPORT Unauthenticated : public AccountingError {
 public:
  explicit Unauthenticated(TokenProblem reason);
  Unauthenticated(const Unauthenticated&) = default;
  Unauthenticated& operator=(const Unauthenticated&) = default;
  ~Unauthenticated() override;

  [[nodiscard]] TokenProblem reason() const noexcept { return reason_; }

 private:
  TokenProblem reason_;
};

/// Who calls is known and may not do this.
class ACCOUNTING_EXPORT Forbidden : public AccountingError {
 public:
  explicit Forbidden(const std::string& message);
  Forbidden(const Forbidden&) = default;
  Forbidden& operator=(const Forbidden&) = default;
  ~Forbidden() override;
};

/// An API key that is unknown, inactive or expired. `what()` does not say which.
class ACCOUNTING_EXPORT InvalidApiKey : public AccountingError {
 public:
  InvalidApiKey();
  InvalidApiKey(const InvalidApiKey&) = default;
  InvalidApiKey& operator=(const InvalidApiKey&) = default;
  ~InvalidApiKey() override;
};

/// The database failed or refused for a reason that is none of the caller's arguments: a full
/// disk, a missing permission, a timeout. Nothing was changed.
class ACCOUNTING_EXPORT StoreError : public AccountingError {
 public:
  explicit StoreError(const std::string& message, bool retryable = false,
                      ErrorCode code = ErrorCode::store_error);
  StoreError(const StoreError&) = default;
  StoreError& operator=(const StoreError&) = default;
  ~StoreError() override;
};

/// The database could not be reached, or the connection broke before anything was committed.
/// Retryable: nothing was changed.
class ACCOUNTING_EXPORT ConnectionLost : public StoreError {
 public:
  explicit ConnectionLost(const std::string& message);
  ConnectionLost(const ConnectionLost&) = default;
  ConnectionLost& operator=(const ConnectionLost&) = default;
  ~ConnectionLost() override;
};

/// The database did not confirm the commit (the connection broke while it was under way, or
/// SQLite's files failed in it), so the call may have taken effect.
/// Retryable only where the call carried an idempotency key or is one that replays; then the same
/// call answers what the first one did.
class ACCOUNTING_EXPORT OutcomeUnknown : public StoreError {
 public:
  OutcomeUnknown(const std::string& message, bool retryable);
  OutcomeUnknown(const OutcomeUnknown&) = default;
  OutcomeUnknown& operator=(const OutcomeUnknown&) = default;
  ~OutcomeUnknown() override;
};

/// The schema is missing, newer than the library, or was changed behind its back. Migrations that
/// `migrate` had made before stay.
class ACCOUNTING_EXPORT MigrationError : public StoreError {
 public:
  explicit MigrationError(const std::string& message);
  MigrationError(const MigrationError&) = default;
  MigrationError& operator=(const MigrationError&) = default;
  ~MigrationError() override;
};

}  // namespace accounting
