// The global interpreter lock, and what a fork leaves behind.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <utility>

namespace accounting::python {

namespace py = pybind11;

/// Runs work that may block without the lock, so that other Python threads go on meanwhile.
template <class Work>
auto without_gil(Work&& work) {
  const py::gil_scoped_release release;
  return std::forward<Work>(work)();
}

/// How many forks lie between this process and the one that imported the module.
unsigned forks() noexcept;
/// Has the process count its forks; called once, on import.
void count_forks();
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
    const py::gil_scoped_release release;
    value_.reset();
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
