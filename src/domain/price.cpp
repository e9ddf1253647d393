#include "accounting/price.hpp"

#include "accounting/error.hpp"
#include "domain/validation.hpp"

namespace accounting {
namespace {

constexpr std::size_t fraction_digits = 10;
constexpr std::int64_t fraction_base = 10'000'000'000;

[[noreturn]] void refuse_price() {
  throw InvalidArgument("price",
                        "a decimal number of credits per 1,000 tokens from 0 to 10^15 with at "
                        "most 10 fractional digits, such as \"0.25\"");
}

bool is_digit(char character) { return character >= '0' && character <= '9'; }

}  // namespace

Price::Price(std::string_view text) {
  std::size_t at = 0;
  for (; at < text.size() && is_digit(text[at]); ++at) {
    whole_ = whole_ * 10 + (text[at] - '0');
    if (whole_ > domain::largest_credits) {
      refuse_price();
    }
  }
  if (at == 0) {
    refuse_price();
  }
  if (at < text.size() && text[at] == '.') {
    const std::string_view digits = text.substr(at + 1);
    if (digits.empty()) {
      refuse_price();
    }
    std::int64_t unit = fraction_base / 10;
    for (std::size_t index = 0; index < digits.size(); ++index, unit /= 10) {
      const bool digit_fits = index < fraction_digits || digits[index] == '0';
      if (!is_digit(digits[index]) || !digit_fits) {
        refuse_price();
      }
      fraction_ += unit * (digits[index] - '0');
    }
    at = text.size();
  }
  if (at != text.size() || (whole_ == domain::largest_credits && fraction_ != 0)) {
    refuse_price();
  }
}

Price Price::from_whole(std::int64_t whole) {
  if (whole < 0 || whole > domain::largest_credits) {
    refuse_price();
  }
  Price price;
  price.whole_ = whole;
  return price;
}

std::string Price::to_string() const {
  std::string text = std::to_string(whole_);
  if (fraction_ != 0) {
    std::string digits = std::to_string(fraction_base + fraction_).substr(1);
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text;
}

}  // namespace accounting
