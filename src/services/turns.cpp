#include "services/turns.hpp"

namespace accounting::services {
namespace {

/// One writes while the next is under way already, for the lock that it leaves.
constexpr int places = 2;

}  // namespace

Turns::Turn::Turn(Turns& turns, const std::set<std::string>& users, store::Deadline deadline)
    : turns_(turns), users_(users.begin(), users.end()) {
  try {
    turns_.take(users_, taken_, deadline);
  } catch (...) {
    turns_.end(users_, taken_);
    throw;
  }
}

void Turns::take(const std::vector<std::string>& users, std::size_t& taken,
                 store::Deadline deadline) {
  std::unique_lock lock(mutex_);
  for (const std::string& user_id : users) {
    if (!wait(lock, accounts_[user_id], deadline)) {
      throw store::StoreFailure(store::FailureKind::timed_out,
                                "an account that other calls are at work on was not had in time");
    }
    ++taken;
  }
}

bool Turns::wait(std::unique_lock<std::mutex>& lock, Account& account, store::Deadline deadline) {
  if (account.at_work < places) {
    ++account.at_work;
    return true;
  }
  Waiter waiter;
  const auto place = account.waiting.insert(account.waiting.end(), &waiter);
  const bool called = waiter.called.wait_until(lock, deadline, [&] { return waiter.may_go; });
  if (!called) {
    account.waiting.erase(place);
  }
  return called;
}

void Turns::end(const std::vector<std::string>& users, std::size_t taken) noexcept {
  const std::lock_guard lock(mutex_);
  for (std::size_t index = 0; index < taken; ++index) {
    const auto found = accounts_.find(users[index]);
    Account& account = found->second;
    if (!account.waiting.empty()) {
      Waiter& next = *account.waiting.front();  // takes the place that is left
      account.waiting.pop_front();
      next.may_go = true;
      next.called.notify_one();
    } else if (--account.at_work == 0) {
      accounts_.erase(found);
    }
  }
}

}  // namespace accounting::services
