// Clock: where the time comes from, so that tests and replays can bring their own.
#pragma once

#include <accounting/export.hpp>
#include <accounting/types.hpp>

#include <atomic>
#include <chrono>

namespace accounting {

/// The one source of time of an opened Accounting, read once a transaction. Implementations must
/// be safe to call from several threads.
class ACCOUNTING_EXPORT Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock();

  /// The current instant in UTC, to the microsecond.
  [[nodiscard]] virtual Timestamp now() const = 0;
};

/// The machine's clock. What an Accounting uses when its options name none.
class ACCOUNTING_EXPORT SystemClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override;
};

/// A clock that stands still until it is told to move; for tests, simulations and replays.
/// Thread-safe. It may be set back.
class ACCOUNTING_EXPORT ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start) noexcept;

  [[nodiscard]] Timestamp now() const override;
  /// Moves by `step`, which may be negative.
  void advance(std::chrono::microseconds step) noexcept;
  void set(Timestamp now) noexcept;

 private:
  std::atomic<std::int64_t> microseconds_;
};

}  // namespace accounting
