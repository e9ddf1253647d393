#include "gil.hpp"

#include <unistd.h>

namespace accounting::python {
namespace {

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

AcquiredGil::~AcquiredGil() { PyGILState_Release(state_); }

}  // namespace accounting::python
