#include "text.hpp"

#include <chrono>
#include <iomanip>
#include <locale>
#include <sstream>

namespace chat_day {

std::string number_text(std::int64_t number) {
  std::string text = std::to_string(number);
  const std::size_t sign = number < 0 ? 1 : 0;
  for (std::size_t place = text.size(); place > sign + 3;) {
    place -= 3;
    text.insert(place, 1, ',');
  }
  return text;
}

std::string decimal_text(double number, int digits) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << std::fixed << std::setprecision(digits) << number;
  return text.str();
}

std::string time_text(accounting::Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << std::setfill('0') << std::setw(4) << int(date.year()) << '-' << std::setw(2)
       << unsigned(date.month()) << '-' << std::setw(2) << unsigned(date.day()) << ' '
       << std::setw(2) << clock.hours().count() << ':' << std::setw(2) << clock.minutes().count()
       << ':' << std::setw(2) << clock.seconds().count();
  return text.str();
}

}  // namespace chat_day
