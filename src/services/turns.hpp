// Turns: one call of this process at a time is at work on an account, or on the prices. The
// others wait here, without a connection, so that what somebody holds does not use up the pool.
#pragma once

#include "store/store.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace accounting::services {

/// What stands for the prices of all models: no account has an empty name.
inline constexpr const char* all_prices = "";

/// Thread-safe. First come, first served; whoever gave up and comes again is the last.
class Turns {
 public:
  /// How long to wait: until the deadline in all, and for each turn by itself.
  struct Patience {
    store::Deadline deadline;
    std::chrono::milliseconds for_each;
  };

  /// What a call holds while it is at work: its turn at all that it names, waited for in that
  /// order, so that nobody waits crosswise. Throws StoreFailure (timed_out) where one was not had
  /// in time, Conflict where the books are closed. May end in another thread.
  class Turn {
   public:
    Turn(Turns& turns, const std::set<std::string>& names, const Patience& patience);
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() { turns_.end(names_, taken_); }

   private:
    Turns& turns_;
    std::vector<std::string> names_;
    std::size_t taken_ = 0;  ///< the first so many
  };

  /// From now on there are no turns, for those who wait either.
  void close() noexcept;
  /// How many calls wait.
  [[nodiscard]] std::size_t waiting() const;

 private:
  enum class Word { none, go, closed };
  struct Waiter {
    std::condition_variable called;
    Word word = Word::none;
  };
  using Line = std::list<Waiter*>;  ///< the next at the front

  void take(const std::vector<std::string>& names, std::size_t& taken, const Patience& patience);
  static Word wait(std::unique_lock<std::mutex>& lock, Line& line, store::Deadline deadline);
  void end(const std::vector<std::string>& names, std::size_t taken) noexcept;

  mutable std::mutex mutex_;
  std::map<std::string, Line> at_work_;  ///< where somebody is: those who wait
  bool closed_ = false;
};

}  // namespace accounting::services
