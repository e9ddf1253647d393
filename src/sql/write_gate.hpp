// WriteGate: one writer of this process at a time at a SQLite database.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>

namespace accounting::sql {

/// Lets one writer of this process at a time at a SQLite database, in the order in which they
/// came, in place of the database's own polling.
class WriteGate {
 public:
  /// False where the gate was not had in time.
  bool pass_until(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    const std::uint64_t ticket = next_ticket_++;
    waiting_.push_back(ticket);
    const bool passed =
        changed_.wait_until(lock, deadline, [&] { return !busy_ && waiting_.front() == ticket; });
    waiting_.remove(ticket);
    busy_ = busy_ || passed;
    changed_.notify_all();
    return passed;
  }
  void release() noexcept {
    const std::lock_guard lock(mutex_);
    busy_ = false;
    changed_.notify_all();
  }
  /// How many wait for it now.
  [[nodiscard]] std::size_t waiting() {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<std::uint64_t> waiting_;
  std::uint64_t next_ticket_ = 0;
  bool busy_ = false;
};
struct OpenGate {
  void operator()(WriteGate* gate) const noexcept { gate->release(); }
};
using GateGuard = std::unique_ptr<WriteGate, OpenGate>;

}  // namespace accounting::sql
