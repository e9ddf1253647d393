#include "crypto/claim_times.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iomanip>
#include <locale>
#include <sstream>

namespace accounting::crypto {
namespace {

using Json = nlohmann::json;

// Far inside the 64 bits of a Timestamp, in seconds.
constexpr std::int64_t farthest = 9'000'000'000'000;

}  // namespace

Timestamp instant_of(const Json& seconds) {
  std::int64_t microseconds = 0;
  if (seconds.is_number_unsigned()) {
    const auto whole = std::min(seconds.get<std::uint64_t>(), std::uint64_t{farthest});
    microseconds = static_cast<std::int64_t>(whole) * 1'000'000;
  } else if (seconds.is_number_integer()) {
    microseconds = std::clamp(seconds.get<std::int64_t>(), -farthest, farthest) * 1'000'000;
  } else {
    constexpr auto limit = static_cast<double>(farthest);
    microseconds = std::llround(std::clamp(seconds.get<double>(), -limit, limit) * 1e6);
  }
  return Timestamp(std::chrono::microseconds(microseconds));
}

std::string instant_text(const Json& seconds) {
  constexpr std::chrono::sys_seconds earliest{};
  constexpr std::chrono::sys_seconds latest{std::chrono::seconds{253'402'300'799}};
  const auto instant = std::chrono::floor<std::chrono::seconds>(instant_of(seconds));
  if (instant < earliest || instant > latest) {
    return seconds.dump();
  }
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(instant - day);
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << std::setfill('0') << std::setw(4) << static_cast<int>(date.year()) << '-' << std::setw(2)
       << static_cast<unsigned>(date.month()) << '-' << std::setw(2)
       << static_cast<unsigned>(date.day()) << 'T' << std::setw(2) << time.hours().count() << ':'
       << std::setw(2) << time.minutes().count() << ':' << std::setw(2) << time.seconds().count()
       << 'Z';
  return text.str();
}

std::string distance_text(Timestamp instant, Timestamp now) {
  using std::chrono::seconds;
  // In whole seconds their difference cannot overflow.
  const std::int64_t distance =
      (std::chrono::floor<seconds>(instant) - std::chrono::floor<seconds>(now)).count();
  if (distance == 0) {
    return "now";
  }
  const std::int64_t size = distance < 0 ? -distance : distance;
  const std::string count = std::to_string(size) + (size == 1 ? " second" : " seconds");
  return distance < 0 ? count + " ago" : "in " + count;
}

}  // namespace accounting::crypto
