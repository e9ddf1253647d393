// Pacing: the time between two tries of a call. It has nothing to do with the books' clock, which
// may be set back.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace accounting::services {

/// How the services wait, and measure how long they have been at it. Thread-safe.
class Pacing {
 public:
  virtual ~Pacing();

  /// Never goes back.
  [[nodiscard]] virtual std::chrono::steady_clock::time_point now() = 0;
  virtual void wait(std::chrono::microseconds duration) = 0;
  /// Until `called` is notified, or that instant has come.
  virtual std::cv_status wait_until(std::condition_variable& called,
                                    std::unique_lock<std::mutex>& lock,
                                    std::chrono::steady_clock::time_point until) = 0;
};

/// The machine's monotonic clock and real sleep.
class SystemPacing final : public Pacing {
 public:
  [[nodiscard]] std::chrono::steady_clock::time_point now() override;
  void wait(std::chrono::microseconds duration) override;
  std::cv_status wait_until(std::condition_variable& called, std::unique_lock<std::mutex>& lock,
                            std::chrono::steady_clock::time_point until) override;
};

}  // namespace accounting::services
