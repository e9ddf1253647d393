// Values that every service shares: instants, token counts, pages, lists of mixed outcomes.
#pragma once

#include <accounting/export.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace accounting {

/// An instant in UTC, to the microsecond. Stored instants lie in the years 1970 to 9999.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// Tokens by kind. The kinds are disjoint: a cached input token is not counted in `input` as well.
/// Each takes 0 … 10^12.
struct TokenCounts {
  std::int64_t input = 0;
  std::int64_t output = 0;
  std::int64_t cached_input = 0;

  friend bool operator==(const TokenCounts&, const TokenCounts&) = default;
};

/// An amount of tokens in one of two forms: a number, priced at `price_per_1k_tokens`, or counts
/// by kind, each priced by its own rule. Converts from both, so a caller writes
/// `.estimated_tokens = 1'200` or `.estimated_tokens = TokenCounts{.input = 900, .output = 300}`.
class Tokens {
 public:
  Tokens() = default;
  template <std::integral Number>
  Tokens(Number number) : value_(static_cast<std::int64_t>(number)) {}  // NOLINT: a conversion
  Tokens(TokenCounts counts) : value_(counts) {}                        // NOLINT: a conversion

  /// True where the amount was given by kind.
  [[nodiscard]] bool by_kind() const noexcept {
    return std::holds_alternative<TokenCounts>(value_);
  }
  /// The number; 0 where the amount was given by kind.
  [[nodiscard]] std::int64_t number() const noexcept {
    const auto* number = std::get_if<std::int64_t>(&value_);
    return number != nullptr ? *number : 0;
  }
  /// The counts; all 0 where the amount was given as a number.
  [[nodiscard]] TokenCounts counts() const noexcept {
    const auto* counts = std::get_if<TokenCounts>(&value_);
    return counts != nullptr ? *counts : TokenCounts{};
  }

  friend bool operator==(const Tokens&, const Tokens&) = default;

 private:
  std::variant<std::int64_t, TokenCounts> value_ = std::int64_t{0};
};

/// One page of a longer list. `page` counts from 1; a page past the end has no items.
template <class Item>
struct Page {
  std::vector<Item> items;
  std::int64_t total = 0;        ///< items on all pages
  std::int64_t page = 1;         ///< this page's number
  std::int64_t total_pages = 0;  ///< 0 where there are no items

  friend bool operator==(const Page&, const Page&) = default;
};

/// What one request of several came to: its answer, or the error that it alone met.
template <class Answer>
class Outcome {
 public:
  Outcome(Answer answer) : value_(std::move(answer)) {}            // NOLINT: a conversion
  Outcome(std::exception_ptr error) : value_(std::move(error)) {}  // NOLINT: a conversion

  [[nodiscard]] bool ok() const noexcept { return std::holds_alternative<Answer>(value_); }
  /// The answer; throws the request's error where it failed.
  [[nodiscard]] const Answer& value() const {
    if (const auto* error = std::get_if<std::exception_ptr>(&value_)) {
      std::rethrow_exception(*error);
    }
    return std::get<Answer>(value_);
  }
  /// The error; null where the request succeeded.
  [[nodiscard]] std::exception_ptr error() const noexcept {
    const auto* error = std::get_if<std::exception_ptr>(&value_);
    return error != nullptr ? *error : nullptr;
  }

 private:
  std::variant<Answer, std::exception_ptr> value_;
};

}  // namespace accounting
