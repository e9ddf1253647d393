// Turns: how many calls of this process are at work on one account at once. Whoever is one too many
// waits here, without a connection, so that an account that somebody holds does not use up the
// pool.
#pragma once

#include "store/store.hpp"

#include <condition_variable>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace accounting::services {

/// Thread-safe. First come, first served.
class Turns {
 public:
  /// What a call holds while it is at work.
  class Turn {
   public:
    Turn(Turns& turns, std::vector<std::string> users) : turns_(turns), users_(std::move(users)) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() { turns_.end(users_); }

   private:
    Turns& turns_;
    std::vector<std::string> users_;
  };

  /// Waits for a place at each of the accounts, in their order, so that nobody waits crosswise.
  /// Throws StoreFailure (timed_out) where one was not had by the deadline.
  [[nodiscard]] Turn take(const std::set<std::string>& users, store::Deadline deadline);

 private:
  struct Waiter {
    std::condition_variable called;
    bool may_go = false;
  };
  struct Account {
    int at_work = 0;
    std::list<Waiter*> waiting;  ///< the next at the front
  };

  bool wait(std::unique_lock<std::mutex>& lock, Account& account, store::Deadline deadline);
  void end(const std::vector<std::string>& users) noexcept;

  std::mutex mutex_;
  std::map<std::string, Account> accounts_;  ///< those with somebody at work or waiting
};

}  // namespace accounting::services
