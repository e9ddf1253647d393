// Forks: what has locks or connections hears of a fork of the process before it happens, and after
// it on both sides. Where a system has no fork, nobody hears anything.
#pragma once

#include <cstdint>
#include <memory>

namespace accounting::platform {

/// Its calls come from the thread that forks.
class ForkWatcher {
 public:
  ForkWatcher() = default;
  ForkWatcher(const ForkWatcher&) = delete;
  ForkWatcher& operator=(const ForkWatcher&) = delete;
  virtual ~ForkWatcher();

  /// Brings itself into a state that a child can take over; may wait a little.
  virtual void before_fork() noexcept = 0;
  virtual void after_fork_in_parent() noexcept = 0;
  /// The forking thread is the only one there is: what other threads held, they hold for ever.
  virtual void after_fork_in_child() noexcept = 0;

 protected:
  /// To be called last by the constructors of classes that derive from this one.
  void start_watching();
  /// To be called first by the destructors of classes that derive from this one: from then on the
  /// object hears nothing.
  void stop_watching() noexcept;
};

/// Forgets in a child what must neither be used nor destroyed there: it is the parent's, and its
/// locks may be held by threads that are not in this process.
template <class Thing>
void leave_to_parent(std::unique_ptr<Thing> thing) noexcept {
  static_cast<void>(thing.release());  // NOLINT(bugprone-unused-return-value): the very purpose
}

/// How many forks lie between the first watcher's process and this one.
std::uint64_t forks() noexcept;

}  // namespace accounting::platform
