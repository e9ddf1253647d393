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

}  // namespace accounting::services
