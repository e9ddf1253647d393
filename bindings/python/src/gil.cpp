#include "gil.hpp"

#include <pthread.h>
#include <accounting/error.hpp>

#include <atomic>

namespace accounting::python {
namespace {

std::atomic<unsigned> fork_count = 0;

}  // namespace

unsigned forks() noexcept { return fork_count.load(std::memory_order_relaxed); }

void count_forks() {
  pthread_atfork(nullptr, nullptr, [] { fork_count.fetch_add(1, std::memory_order_relaxed); });
}

void throw_opened_before_fork() {
  throw Conflict("these books were opened before this process was forked; open them here again");
}

}  // namespace accounting::python
