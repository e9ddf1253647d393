#include "services/pacing.hpp"

#include <thread>

namespace accounting::services {

Pacing::~Pacing() = default;

std::chrono::steady_clock::time_point SystemPacing::now() {
  return std::chrono::steady_clock::now();
}

void SystemPacing::wait(std::chrono::microseconds duration) {
  std::this_thread::sleep_for(duration);
}

std::cv_status SystemPacing::wait_until(std::condition_variable& called,
                                        std::unique_lock<std::mutex>& lock,
                                        std::chrono::steady_clock::time_point until) {
  return called.wait_until(lock, until);
}

}  // namespace accounting::services
