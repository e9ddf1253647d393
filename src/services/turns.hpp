// Turns: how many calls of this process are at work on one account at once. Whoever is one too many
// waits here, without a connection, so that an account that somebody holds does not use up the
// pool.
#pragma once

#include "store/store.hpp"

#include <condition_variable>
#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace accounting::services {

/// Thread-safe. First come, first served.
class Turns {
 public:
  /// What a call holds while it is at work: a place at each of the accounts, waited for in their
  /// order, so that nobody waits crosswise. Throws StoreFailure (timed_out) where one was not had
  /// by the deadline.
  class Turn {
   public:
    Turn(Turns& turns, const std::set<std::string>& users, store::Deadline deadline);
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() { turns_.end(users_, taken_); }

   private:
    Turns& turns_;
    std::vector<std::string> users_;
    std::size_t taken_ = 0;  ///< at the first so many
  };

 private:
  struct Waiter {
    std::condition_variable called;
    bool may_go = false;
  };
  struct Account {
    int at_work = 0;
    std::list<Waiter*> waiting;  ///< the next at the front
  };

  void take(const std::vector<std::string>& users, std::size_t& taken, store::Deadline deadline);
  bool wait(std::unique_lock<std::mutex>& lock, Account& account, store::Deadline deadline);
  void end(const std::vector<std::string>& users, std::size_t taken) noexcept;

  std::mutex mutex_;
  std::map<std::string, Account> accounts_;  ///< those with somebody at work or waiting
};

}  // namespace accounting::services
