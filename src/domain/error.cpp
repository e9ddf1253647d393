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

Forbidden::Forbidden(const std::string& message) : AccountingError(ErrorCode::forbidden, message) {}
Forbidden::~Forbidden() = default;

InvalidApiKey::InvalidApiKey()
    : AccountingError(ErrorCode::invalid_api_key, "the API key is not valid") {}
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
    : AccountingError(ErrorCode::migration_error, message) {}
MigrationError::~MigrationError() = default;

}  // namespace accounting
