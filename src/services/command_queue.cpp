#include "services/command_queue.hpp"

#include "accounting/error.hpp"

#include <algorithm>
#include <utility>

namespace accounting::services {
namespace {

using namespace std::chrono_literals;

// A batch that is under way for longer waits for something, and keeps nobody else waiting.
constexpr auto quick = 10ms;
// Before an account that somebody holds is looked at again.
constexpr auto pause_when_held = 4ms;

std::exception_ptr timed_out(const char* why) {
  return std::make_exception_ptr(store::StoreFailure(store::FailureKind::timed_out, why));
}

}  // namespace

CommandQueue::CommandQueue(CarryOut carry_out, Pacing& pacing, const Limits& limits)
    : carry_out_(std::move(carry_out)), pacing_(pacing), limits_(limits) {}

CommandQueue::Status CommandQueue::status() const {
  const std::lock_guard lock(mutex_);
  return {.waiting = waiting_, .under_way = under_way_.size()};
}

void CommandQueue::run(std::span<Ticket> tickets, store::Deadline deadline) {
  Caller caller;
  caller.deadline = deadline;
  Lock lock(mutex_);
  wait_for_room(lock, tickets.size(), deadline);
  for (Ticket& ticket : tickets) {
    enter(ticket, caller);
  }
  while (caller.open > 0) {
    const auto now = pacing_.now();
    if (caller.queued > 0 && now >= deadline) {
      leave(caller);
      continue;
    }
    std::optional<Batch> batch = caller.queued > 0 ? take(caller, now) : std::nullopt;
    if (!batch) {
      wait(lock, caller);
      continue;
    }
    call_next();
    lock.unlock();
    lead(*batch);
    lock.lock();
    finish(*batch);
  }
}

void CommandQueue::wait_for_room(Lock& lock, std::size_t tickets, store::Deadline deadline) {
  const auto until = std::min(deadline, pacing_.now() + limits_.patience);
  const bool has_room = room_.wait_until(
      lock, until, [&] { return waiting_ == 0 || waiting_ + tickets <= limits_.waiting; });
  if (!has_room) {
    throw StoreError("too many calls wait for the database; nothing was changed", true);
  }
}

void CommandQueue::enter(Ticket& ticket, Caller& caller) {
  const auto place = accounts_.try_emplace(ticket.command->user_id).first;
  Account& account = place->second;
  account.user_id = &place->first;
  account.waiting.push_back(
      {.ticket = &ticket, .caller = &caller, .account = &account, .held_since = {}});
  take_turn(account);
  ++caller.open;
  ++caller.queued;
  ++waiting_;
}

/// Takes back what of a caller's nobody has begun by its deadline.
void CommandQueue::leave(Caller& caller) {
  for (auto each = accounts_.begin(); each != accounts_.end();) {
    Account& account = each->second;
    for (const Entry& entry : account.waiting) {
      if (entry.caller == &caller) {
        entry.ticket->failure = timed_out("the call waited for others until its deadline");
        --caller.open;
        --caller.queued;
        --waiting_;
      }
    }
    std::erase_if(account.waiting, [&](const Entry& entry) { return entry.caller == &caller; });
    if (account.waiting.empty()) {
      drop_turn(account);
    }
    each = account.waiting.empty() && !account.at_work ? accounts_.erase(each) : std::next(each);
  }
  room_.notify_all();
  call_next();
}

void CommandQueue::wait(Lock& lock, Caller& caller) {
  const auto now = pacing_.now();
  auto until = caller.queued > 0 ? caller.deadline : store::Deadline::max();
  caller.waits = true;
  // Only whoever's turn is next looks by itself: the others are called.
  if (next_caller(now) == &caller) {
    until = std::min(until, next_chance(now).value_or(until));
  }
  if (until == store::Deadline::max()) {
    caller.called.wait(lock);
  } else {
    caller.called.wait_until(lock, until);
  }
  caller.waits = false;
}

/// A batch beside others is worth its costs where half as much waits as the largest of them took
/// along: the callers of one that has just ended come back one by one, and the first is not to go
/// alone.
bool CommandQueue::may_begin(Clock::time_point now) const {
  std::size_t quick_ones = 0;
  std::size_t largest = 0;
  for (const UnderWay& each : under_way_) {
    if (now - each.began < quick) {
      ++quick_ones;
      largest = std::max(largest, each.commands);
    }
  }
  return under_way_.size() < limits_.places && quick_ones < limits_.side_by_side &&
         2 * waiting_ >= largest;
}

/// When it makes sense to look again though nothing has ended; none: not before something has.
std::optional<CommandQueue::Clock::time_point> CommandQueue::next_chance(
    Clock::time_point now) const {
  std::optional<Clock::time_point> chance;
  const auto consider = [&](Clock::time_point when) {
    if (when > now) {
      chance = std::min(chance.value_or(when), when);
    }
  };
  if (under_way_.size() < limits_.places) {
    for (const UnderWay& each : under_way_) {
      consider(each.began + quick);
    }
  }
  for (const Account* account : turns_) {
    consider(account->not_before);
  }
  return chance;
}

/// Whoever is to begin the next batch, or to look when it can begin.
CommandQueue::Caller* CommandQueue::next_caller(Clock::time_point now) const {
  Caller* later = nullptr;
  for (const Account* account : turns_) {
    const auto found = std::find_if(account->waiting.begin(), account->waiting.end(),
                                    [](const Entry& entry) { return entry.caller->waits; });
    if (found != account->waiting.end()) {
      if (account->not_before <= now) {
        return found->caller;
      }
      later = later != nullptr ? later : found->caller;
    }
  }
  return later;
}

/// The account whose turn it is. One that is held may have to be waited for, which nobody does for
/// others.
CommandQueue::Account* CommandQueue::first_for(const Caller& caller, Clock::time_point now) {
  const auto found = std::find_if(turns_.begin(), turns_.end(), [&](const Account* account) {
    const auto is_own = [&](const Entry& entry) { return entry.caller == &caller; };
    return account->not_before <= now &&
           (!account->held ||
            std::any_of(account->waiting.begin(), account->waiting.end(), is_own));
  });
  return found == turns_.end() ? nullptr : *found;
}

std::optional<CommandQueue::Batch> CommandQueue::take(const Caller& caller, Clock::time_point now) {
  Account* first = may_begin(now) ? first_for(caller, now) : nullptr;
  if (first == nullptr) {
    return std::nullopt;
  }
  Batch batch;
  batch.began = now;
  take_along(batch, first, now);
  for (Account* account : batch.accounts) {
    account->at_work = true;
    drop_turn(*account);
  }
  waiting_ -= batch.entries.size();
  room_.notify_all();
  // Whoever works on one account may wait for it, but not in the last place.
  const bool last_place = under_way_.size() + 1 >= limits_.places;
  const bool may_wait = batch.accounts.size() == 1 && !last_place;
  batch.when_held = may_wait ? WhenHeld::wait : WhenHeld::put_back;
  batch.place =
      under_way_.insert(under_way_.end(), {.began = now, .commands = batch.entries.size()});
  return batch;
}

/// One command of each account after the other, until none is left or the batch is full.
void CommandQueue::take_along(Batch& batch, Account* first, Clock::time_point now) {
  batch.accounts.push_back(first);
  take_front(batch, *first);
  if (batch.entries.front().ticket->alone) {
    return;
  }
  if (!first->held) {
    for (Account* account : turns_) {
      const bool fits = account != first && !account->held && account->not_before <= now &&
                        !account->waiting.front().ticket->alone;
      if (fits && batch.entries.size() < limits_.batch) {
        batch.accounts.push_back(account);
        take_front(batch, *account);
      }
    }
  }
  for (bool more = true; more && batch.entries.size() < limits_.batch;) {
    more = false;
    for (Account* account : batch.accounts) {
      const bool has_more = !account->waiting.empty() && !account->waiting.front().ticket->alone;
      if (has_more && batch.entries.size() < limits_.batch) {
        take_front(batch, *account);
        more = true;
      }
    }
  }
}

void CommandQueue::take_front(Batch& batch, Account& account) {
  const Entry& entry = account.waiting.front();
  batch.deadline = std::min(batch.deadline, entry.caller->deadline);
  --entry.caller->queued;
  batch.entries.push_back(entry);
  account.waiting.pop_front();
}

void CommandQueue::lead(Batch& batch) noexcept {
  try {
    std::vector<Ticket*> tickets;
    tickets.reserve(batch.entries.size());
    for (const Entry& entry : batch.entries) {
      tickets.push_back(entry.ticket);
    }
    carry_out_(tickets, batch.when_held, batch.deadline);
  } catch (...) {
    for (const Entry& entry : batch.entries) {
      if (!entry.ticket->result && !entry.ticket->failure) {
        entry.ticket->failure = std::current_exception();
      }
    }
  }
}

void CommandQueue::finish(Batch& batch) noexcept {
  const auto now = pacing_.now();
  under_way_.erase(batch.place);
  for (Account* account : batch.accounts) {
    account->at_work = false;
    account->held = false;
  }
  // From the last to the first, so that what is put back stands in its order again.
  for (auto entry = batch.entries.rbegin(); entry != batch.entries.rend(); ++entry) {
    if (!entry->ticket->result && !entry->ticket->failure) {
      put_back(batch, *entry, now);
    } else {
      end(*entry);
    }
  }
  for (Account* account : batch.accounts) {
    if (account->waiting.empty()) {
      accounts_.erase(accounts_.find(*account->user_id));
    } else {
      take_turn(*account);
    }
  }
  call_next();
}

void CommandQueue::end(Entry& entry) {
  if (--entry.caller->open == 0) {
    entry.caller->called.notify_one();
  }
}

void CommandQueue::put_back(const Batch& batch, Entry& entry, Clock::time_point now) {
  entry.held_since = entry.held_since.value_or(batch.began);
  if (now - *entry.held_since >= limits_.lock_timeout) {
    entry.ticket->failure = timed_out("a lock was not had in time (lock_timeout)");
    end(entry);
    return;
  }
  Account& account = *entry.account;
  account.held = true;
  // Among others it was only looked at in passing; by itself it can be waited for at once.
  account.not_before = batch.accounts.size() > 1 ? now : now + pause_when_held;
  account.waiting.push_front(entry);
  ++entry.caller->queued;
  ++waiting_;
}

void CommandQueue::take_turn(Account& account) {
  if (!account.in_turns && !account.at_work) {
    account.place = turns_.insert(turns_.end(), &account);
    account.in_turns = true;
  }
}

void CommandQueue::drop_turn(Account& account) {
  if (account.in_turns) {
    turns_.erase(account.place);
    account.in_turns = false;
  }
}

void CommandQueue::call_next() {
  if (Caller* next = turns_.empty() ? nullptr : next_caller(pacing_.now())) {
    next->called.notify_one();
  }
}

}  // namespace accounting::services
