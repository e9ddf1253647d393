#include "accounting/clock.hpp"

namespace accounting {

Clock::~Clock() = default;

Timestamp SystemClock::now() const {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

ManualClock::ManualClock(Timestamp start) noexcept
    : microseconds_(start.time_since_epoch().count()) {}

Timestamp ManualClock::now() const {
  return Timestamp(std::chrono::microseconds(microseconds_.load()));
}

void ManualClock::advance(std::chrono::microseconds step) noexcept {
  microseconds_.fetch_add(step.count());
}

void ManualClock::set(Timestamp now) noexcept {
  microseconds_.store(now.time_since_epoch().count());
}

}  // namespace accounting
