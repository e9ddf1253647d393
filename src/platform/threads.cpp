#include "platform/threads.hpp"

#include <atomic>

namespace accounting::platform {

std::uint64_t thread_number() noexcept {
  static std::atomic<std::uint64_t> given = 0;
  thread_local const std::uint64_t number = ++given;
  return number;
}

}  // namespace accounting::platform
