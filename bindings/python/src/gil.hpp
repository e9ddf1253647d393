// The global interpreter lock: given away while the library works, taken for what is Python's.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <utility>

namespace accounting::python {

namespace py = pybind11;

// pybind11 has classes for both, but at the exit of the interpreter a daemon thread that wants the
// lock back is ended inside them, which ends the whole process with std::terminate. In these it
// waits for the process to end instead.

/// Gives the lock away for a scope.
class ReleasedGil {
 public:
  ReleasedGil() : thread_(PyEval_SaveThread()) {}
  ReleasedGil(const ReleasedGil&) = delete;
  ReleasedGil& operator=(const ReleasedGil&) = delete;
  ~ReleasedGil();

 private:
  PyThreadState* thread_;
};

/// Takes the lock for a scope, in a thread that may hold it already or not.
class AcquiredGil {
 public:
  AcquiredGil();
  AcquiredGil(const AcquiredGil&) = delete;
  AcquiredGil& operator=(const AcquiredGil&) = delete;
  ~AcquiredGil();

 private:
  PyGILState_STATE state_;
};

/// Runs work that may block without the lock, so that other Python threads go on meanwhile.
template <class Work>
auto without_gil(Work&& work) {
  const ReleasedGil released;
  return std::forward<Work>(work)();
}

/// Something that stands on an opened database, as Python holds it. It is destroyed without the
/// lock, because closing may wait for the database.
template <class Value>
class Held {
 public:
  explicit Held(Value value) : value_(std::make_unique<Value>(std::move(value))) {}
  Held(Held&&) noexcept = default;
  Held& operator=(Held&&) = delete;
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() {
    if (value_) {
      without_gil([&] { value_.reset(); });
    }
  }

  Value& operator*() const { return *value_; }
  Value* operator->() const { return value_.get(); }

 private:
  std::unique_ptr<Value> value_;
};

}  // namespace accounting::python
