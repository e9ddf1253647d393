// FailingAllocation: lets one allocation of the calling thread fail, as a machine without memory
// would.
#pragma once

#include <cstdint>

namespace accounting::testing {

/// The thread's allocation of that number from now on, counted from 1, throws std::bad_alloc, and
/// the ones after it succeed again. One at a time for each thread.
class FailingAllocation {
 public:
  explicit FailingAllocation(std::int64_t number) noexcept;
  FailingAllocation(const FailingAllocation&) = delete;
  FailingAllocation& operator=(const FailingAllocation&) = delete;
  ~FailingAllocation();

  /// True once that allocation was asked for.
  [[nodiscard]] static bool has_failed() noexcept;
};

}  // namespace accounting::testing
