// Price: an exact decimal, in credits per 1,000 tokens.
#pragma once

#include <accounting/export.hpp>

#include <compare>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace accounting {

/// A price in credits per 1,000 tokens: 0 … 10^15 with at most 10 fractional digits, exact.
/// Written as text ("0.25") or as an integer; never as a floating-point number, which could not
/// hold it. A value type; equal prices compare equal however they were written ("3" and "3.0").
class ACCOUNTING_EXPORT Price {
 public:
  /// Zero.
  Price() = default;
  /// From decimal text: digits, optionally a point and more digits. Throws InvalidArgument for
  /// anything else (a sign, an exponent, blanks), for more than 10 significant fractional digits,
  /// and above 10^15.
  Price(std::string_view text);                                      // NOLINT: a conversion
  Price(const char* text) : Price(std::string_view(text)) {}         // NOLINT: a conversion
  Price(const std::string& text) : Price(std::string_view(text)) {}  // NOLINT: a conversion
  /// From whole credits. Throws InvalidArgument when negative or above 10^15.
  template <std::integral Whole>
  Price(Whole whole) : Price(from_whole(static_cast<std::int64_t>(whole))) {}  // NOLINT
  template <std::floating_point Number>
  Price(Number) = delete;

  /// The shortest decimal text: "0.25", "3", "0".
  [[nodiscard]] std::string to_string() const;

  /// The digits before the point.
  [[nodiscard]] std::int64_t whole() const noexcept { return whole_; }
  /// The digits after the point, in units of 10^-10: 0 … 9,999,999,999.
  [[nodiscard]] std::int64_t fraction() const noexcept { return fraction_; }

  friend bool operator==(const Price&, const Price&) = default;
  friend std::strong_ordering operator<=>(const Price&, const Price&) = default;

 private:
  static Price from_whole(std::int64_t whole);

  std::int64_t whole_ = 0;
  std::int64_t fraction_ = 0;
};

}  // namespace accounting
