#include "accounting/error.hpp"

namespace accounting {

std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::invalid_argument:
      return "invalid_argument";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::insufficient_credits:
      return "insufficient_credits";
    case ErrorCode::price_not_found:
      return "price_not_found";
    case ErrorCode::session_closed:
      return "session_closed";
    case ErrorCode::unauthenticated:
      return "unauthenticated";
    case ErrorCode::forbidden:
      return "forbidden";
    case ErrorCode::invalid_api_key:
      return "invalid_api_key";
    case ErrorCode::store_error:
      return "store_error";
    case ErrorCode::connection_lost:
      return "connection_lost";
    case ErrorCode::outcome_unknown:
      return "outcome_unknown";
    case ErrorCode::migration_error:
      return "migration_error";
  }
  return "unknown";
}

std::string_view to_string(TokenProblem problem) noexcept {
  switch (problem) {
    case TokenProblem::malformed:
      return "malformed";
    case TokenProblem::too_large:
      return "too_large";
    case TokenProblem::duplicate_member:
      return "duplicate_member";
    case TokenProblem::unsupported_header:
      return "unsupported_header";
    case TokenProblem::wrong_algorithm:
      return "wrong_algorithm";
    case TokenProblem::unknown_key:
      return "unknown_key";
    case TokenProblem::bad_signature:
      return "bad_signature";
    case TokenProblem::missing_claim:
      return "missing_claim";
    case TokenProblem::invalid_claim:
      return "invalid_claim";
    case TokenProblem::expired:
      return "expired";
    case TokenProblem::not_yet_valid:
      return "not_yet_valid";
    case TokenProblem::wrong_type:
      return "wrong_type";
    case TokenProblem::wrong_issuer:
      return "wrong_issuer";
    case TokenProblem::wrong_audience:
      return "wrong_audience";
  }
  return "unknown";
}

AccountingError::AccountingError(ErrorCode code, const std::string& message, bool retryable)
    : std::runtime_error(message), code_(code), retryable_(retryable) {}
AccountingError::~AccountingError() = default;

InvalidArgument::InvalidArgument(const std::string& argument, const std::string& expected)
    : AccountingError(ErrorCode::invalid_argument, argument + ": expected " + expected),
      argument_(argument),
      expected_(expected) {}
InvalidArgument::~InvalidArgument() = default;

NotFound::NotFound(const std::string& message) : AccountingError(ErrorCode::not_found, message) {}
NotFound::~NotFound() = default;

Conflict::Conflict(const std::string& message, ErrorCode code) : AccountingError(code, message) {}
Conflict::~Conflict() = default;

SessionClosed::SessionClosed(const std::string& message)
    : Conflict(message, ErrorCode::session_closed) {}
SessionClosed::~SessionClosed() = default;

InsufficientCredits::InsufficientCredits(std::int64_t required, std::int64_t available)
    : AccountingError(ErrorCode::insufficient_credits,
                      "the call needs " + std::to_string(required) + " credits and " +
                          std::to_string(available) + " are available"),
      required_(required),
      available_(available) {}
InsufficientCredits::~InsufficientCredits() = default;

PriceNotFound::PriceNotFound(const std::string& message)
    : AccountingError(ErrorCode::price_not_found, message) {}
PriceNotFound::~PriceNotFound() = default;

Unauthenticated::Unauthenticated(TokenProblem reason)
    : AccountingError(ErrorCode::unauthenticated, "the token was refused"), reason_(reason) {}
Unauthenticated::~Unauthenticated() = default;

Forbidden::Forbidden(const std::string& message) : AccountingError(ErrorCode::forbidden, message) {}
Forbidden::~Forbidden() = default;

InvalidApiKey::InvalidApiKey()
    : AccountingError(ErrorCode::invalid_api_key, "the API key was refused") {}
InvalidApiKey::~InvalidApiKey() = default;

StoreError::StoreError(const std::string& message, bool retryable, ErrorCode code)
    : AccountingError(code, message, retryable) {}
StoreError::~StoreError() = default;

ConnectionLost::ConnectionLost(const std::string& message)
    : StoreError(message, true, ErrorCode::connection_lost) {}
ConnectionLost::~ConnectionLost() = default;

OutcomeUnknown::OutcomeUnknown(const std::string& message, bool retryable)
    : StoreError(message, retryable, ErrorCode::outcome_unknown) {}
OutcomeUnknown::~OutcomeUnknown() = default;

MigrationError::MigrationError(const std::string& message)
    : StoreError(message, false, ErrorCode::migration_error) {}
MigrationError::~MigrationError() = default;

}  // namespace accounting
