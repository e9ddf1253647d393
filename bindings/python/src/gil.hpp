// The global interpreter lock, and what a fork leaves behind.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <utility>

namespace accounting::python {

namespace py = pybind11;

/// Kept while a thread is inside the library, and left while Python code of the caller's runs. A
/// fork waits until no thread is inside: the child would find the locks of the database's client
/// taken by threads that it does not have.
class InsideLibrary {
 public:
  InsideLibrary();
  InsideLibrary(const InsideLibrary&) = delete;
  InsideLibrary& operator=(const InsideLibrary&) = delete;
  ~InsideLibrary();
};

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
  bool was_inside_;
};

/// Runs work that may block without the lock, so that other Python threads go on meanwhile.
template <class Work>
auto without_gil(Work&& work) {
  const ReleasedGil released;
  const InsideLibrary inside;
  return std::forward<Work>(work)();
}

/// How many forks lie between this process and the one that imported the module.
unsigned forks() noexcept;
/// Has the process count its forks and wait before each until no thread is inside the library;
/// called once, on import.
void watch_forks();
/// Throws Conflict: what was opened before a fork belongs to the parent.
[[noreturn]] void throw_opened_before_fork();

/// Something that stands on an opened database, as Python holds it. It is destroyed without the
/// lock, because closing may wait for the database. In a process forked later it answers Conflict
/// and is never destroyed: its connections are the parent's.
template <class Value>
class Held {
 public:
  explicit Held(Value value) : value_(std::make_unique<Value>(std::move(value))) {}
  Held(Held&&) noexcept = default;
  Held& operator=(Held&&) = delete;
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() {
    if (!value_) {
      return;
    }
    if (forks() != forks_) {
      static_cast<void>(
          value_.release());  // NOLINT(bugprone-unused-return-value): left to the parent
      return;
    }
    without_gil([&] { value_.reset(); });
  }

  Value& operator*() const {
    if (forks() != forks_) {
      throw_opened_before_fork();
    }
    return *value_;
  }
  Value* operator->() const { return &**this; }

 private:
  std::unique_ptr<Value> value_;
  unsigned forks_ = forks();
};

}  // namespace accounting::python
