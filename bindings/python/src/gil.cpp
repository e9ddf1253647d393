#include "gil.hpp"

#include <pthread.h>
#include <unistd.h>
#include <accounting/error.hpp>

#include <atomic>
#include <chrono>
#include <shared_mutex>

namespace accounting::python {
namespace {

std::atomic<unsigned> fork_count = 0;

// Shared by the threads inside the library, exclusive for a fork. Never destroyed, because threads
// may still be at work when the process exits.
std::shared_timed_mutex* library_gate = new std::shared_timed_mutex;
thread_local int times_inside = 0;
thread_local bool gate_is_closed = false;

void enter_library() {
  if (times_inside++ == 0) {
    library_gate->lock_shared();
  }
}
void leave_library() {
  if (--times_inside == 0) {
    library_gate->unlock_shared();
  }
}

void before_fork() {
  // Bounded: the forking thread may hold the interpreter's lock, and everybody waits for it.
  constexpr std::chrono::seconds patience{2};
  gate_is_closed = times_inside == 0 && library_gate->try_lock_for(patience);
}
void after_fork() {
  if (gate_is_closed) {
    library_gate->unlock();
    gate_is_closed = false;
  }
}
void after_fork_in_child() {
  fork_count.fetch_add(1, std::memory_order_relaxed);
  // The old gate knows of threads that are not in this process.
  library_gate = new std::shared_timed_mutex;
  gate_is_closed = false;
}

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

InsideLibrary::InsideLibrary() { enter_library(); }
InsideLibrary::~InsideLibrary() { leave_library(); }

AcquiredGil::AcquiredGil() : was_inside_(times_inside > 0) {
  if (was_inside_) {
    leave_library();
  }
  try {
    state_ = PyGILState_Ensure();
  } catch (...) {  // As above.
    wait_for_the_end();
  }
}

AcquiredGil::~AcquiredGil() {
  PyGILState_Release(state_);
  if (was_inside_) {
    enter_library();
  }
}

unsigned forks() noexcept { return fork_count.load(std::memory_order_relaxed); }

void watch_forks() { pthread_atfork(before_fork, after_fork, after_fork_in_child); }

void throw_opened_before_fork() {
  throw Conflict("these books were opened before this process was forked; open them here again");
}

}  // namespace accounting::python
