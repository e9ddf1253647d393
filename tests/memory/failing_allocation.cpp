#include "memory/failing_allocation.hpp"

#include <cstdlib>
#include <new>

namespace {

/// Allocations of this thread until the one that fails: it is the one that leaves 0.
thread_local std::int64_t left = -1;

void* allocate(std::size_t size) {
  if (left > 0 && --left == 0) {
    throw std::bad_alloc();
  }
  if (void* found = std::malloc(size > 0 ? size : 1)) {
    return found;
  }
  throw std::bad_alloc();
}

}  // namespace

// For the whole program. The forms for arrays and those that do not throw come to these.
void* operator new(std::size_t size) { return allocate(size); }
void operator delete(void* found) noexcept { std::free(found); }
void operator delete(void* found, std::size_t) noexcept { std::free(found); }

namespace accounting::testing {

FailingAllocation::FailingAllocation(std::int64_t number) noexcept { left = number; }

FailingAllocation::~FailingAllocation() { left = -1; }

bool FailingAllocation::has_failed() noexcept { return left == 0; }

}  // namespace accounting::testing
