#include "gil.hpp"

#include <pthread.h>
#include <unistd.h>
#include <accounting/error.hpp>

#include <atomic>

namespace accounting::python {
namespace {

std::atomic<unsigned> fork_count = 0;

/// For a thread that the interpreter wants to end while the process exits.
[[noreturn]] void wait_for_the_end() {
  while (true) {
    pause();
  }
}

}  // namespace

ReleasedGil::~ReleasedGil() {
  try {
    PyEval_RestoreThread(thread_);
  } catch (...) {  // Nothing that Python raises: the thread is being unwound by pthread_exit.
    wait_for_the_end();
  }
}

AcquiredGil::AcquiredGil() {
  try {
    state_ = PyGILState_Ensure();
  } catch (...) {  // As above.
    wait_for_the_end();
  }
}

unsigned forks() noexcept { return fork_count.load(std::memory_order_relaxed); }

void count_forks() {
  pthread_atfork(nullptr, nullptr, [] { fork_count.fetch_add(1, std::memory_order_relaxed); });
}

void throw_opened_before_fork() {
  throw Conflict("these books were opened before this process was forked; open them here again");
}

}  // namespace accounting::python
