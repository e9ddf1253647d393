// Pacing: the time between two tries of a call. It has nothing to do with the books' clock, which
// may be set back.
#pragma once

#include <chrono>

namespace accounting::services {

/// How the services wait, and measure how long they have been at it. Thread-safe.
class Pacing {
 public:
  virtual ~Pacing();

  /// Never goes back.
  [[nodiscard]] virtual std::chrono::steady_clock::time_point now() = 0;
  virtual void wait(std::chrono::microseconds duration) = 0;
};

/// The machine's monotonic clock and real sleep.
class SystemPacing final : public Pacing {
 public:
  [[nodiscard]] std::chrono::steady_clock::time_point now() override;
  void wait(std::chrono::microseconds duration) override;
};

}  // namespace accounting::services
