#include "services/command_queue.hpp"

#include "accounting/error.hpp"

#include <algorithm>
#include <utility>

namespace accounting::services {
namespace {

using namespace std::chrono_literals;

// A batch that is under way for longer waits for something, or is large, and keeps nobody waiting.
constexpr auto quick = 10ms;
// Fewer callers than that are answered sooner by one batch than by two.
constexpr std::size_t fewest_apart = 8;
// Callers that are not back by then do not come back at once.
constexpr auto longest_expectation = 1ms;
// Before an account that somebody holds is looked at again.
constexpr auto pause_when_held = 4ms;

/// True for a failure that more time may help, and before which nothing was changed.
bool is_for_want_of_time(const std::exception_ptr& failure) {
  if (!failure) {
    return false;
  }
  try {
    std::rethrow_exception(failure);
  } catch (const store::StoreFailure& found) {
    return found.kind() == store::FailureKind::timed_out;
  } catch (const StoreError& found) {
    // No connection came free, or the database rolled back.
    return found.retryable() && found.code() == ErrorCode::store_error;
  } catch (...) {
    return false;
  }
}

std::exception_ptr timed_out(const char* why) {
  return std::make_exception_ptr(store::StoreFailure(store::FailureKind::timed_out, why));
}

}  // namespace

CommandQueue::CommandQueue(CarryOut carry_out, Pacing& pacing, const Limits& limits)
    : carry_out_(std::move(carry_out)), pacing_(pacing), limits_(limits) {}

CommandQueue::Status CommandQueue::status() const {
  const std::lock_guard lock(mutex_);
  return {.waiting = waiting_, .waiting_callers = waiting_callers_, .under_way = under_way_.size()};
}

void CommandQueue::run(std::span<Ticket> tickets, store::Deadline deadline) {
  Caller caller{.bed = std::make_shared<Bed>(), .deadline = deadline};
  Entries entries;
  for (Ticket& ticket : tickets) {
    entries.push_back({.ticket = &ticket, .caller = &caller, .account = nullptr, .held_since = {}});
  }
  {
    Lock lock(mutex_);
    wait_for_room(lock, tickets.size(), deadline);
    try {
      enter(entries);
      wait_or_lead(lock, caller);
    } catch (...) {
      abandon(lock, caller);
      throw;
    }
  }
  for (Ticket& ticket : tickets) {
    if (ticket.ran_out_of != nullptr) {
      ticket.failure = timed_out(ticket.ran_out_of);
    }
  }
}

/// Nothing here may know of a caller that is gone.
void CommandQueue::abandon(Lock& lock, Caller& caller) noexcept {
  while (caller.open > 0) {
    leave(caller);
    if (caller.open > 0) {
      wait(lock, caller, pacing_.now());
    }
  }
}

void CommandQueue::wait_or_lead(Lock& lock, Caller& caller) {
  while (caller.open > 0) {
    const auto now = pacing_.now();
    if (caller.queued > 0 && now >= caller.deadline) {
      leave(caller);
      continue;
    }
    std::optional<Batch> batch = caller.queued > 0 ? take(caller, now) : std::nullopt;
    if (!batch) {
      wait(lock, caller, now);
      continue;
    }
    const Call next = call_to_next();
    lock.unlock();
    make(next);
    lead(*batch);
    lock.lock();
    finish(*batch);
    lock.unlock();
    std::ranges::for_each(batch->calls, make);
    lock.lock();
  }
}

bool CommandQueue::has_room(std::size_t tickets) const noexcept {
  return waiting_ == 0 || waiting_ + tickets <= limits_.waiting;
}

void CommandQueue::let_next_in() noexcept {
  if (!line_for_room_.empty() && has_room(line_for_room_.front().tickets)) {
    line_for_room_.front().called.notify_one();
  }
}

/// In the order in which they came, or a call of many tickets might never find enough room.
void CommandQueue::wait_for_room(Lock& lock, std::size_t tickets, store::Deadline deadline) {
  if (line_for_room_.empty() && has_room(tickets)) {
    return;
  }
  const auto until = std::min(deadline, pacing_.now() + limits_.patience);
  const auto place = line_for_room_.emplace(line_for_room_.end());
  place->tickets = tickets;
  const bool found_room = place->called.wait_until(
      lock, until, [&] { return place == line_for_room_.begin() && has_room(tickets); });
  line_for_room_.erase(place);
  let_next_in();
  if (!found_room) {
    throw StoreError("too many calls wait for the database; nothing was changed", true);
  }
}

void CommandQueue::enter(Entries& entries) {
  while (!entries.empty()) {
    Entry& entry = entries.front();
    const auto place = accounts_.try_emplace(entry.ticket->command->user_id).first;
    Account& account = place->second;
    if (account.user_id == nullptr) {
      try {
        account.turn.push_back(&account);
      } catch (...) {
        accounts_.erase(place);
        throw;
      }
      account.place = account.turn.begin();
      account.user_id = &place->first;
    }
    entry.account = &account;
    account.waiting.splice(account.waiting.end(), entries, entries.begin());
    ++entry.caller->open;
    add_to_queued(*entry.caller);
    take_turn(account);
  }
}

/// Takes back what of a caller's nobody has begun by its deadline.
void CommandQueue::leave(Caller& caller) noexcept {
  for (auto each = accounts_.begin(); each != accounts_.end();) {
    Account& account = each->second;
    leave(caller, account);
    if (account.waiting.empty()) {
      drop_turn(account);
    }
    each = account.waiting.empty() && !account.at_work ? accounts_.erase(each) : std::next(each);
  }
  let_next_in();
  make(call_to_next());
}

void CommandQueue::leave(Caller& caller, Account& account) noexcept {
  account.waiting.remove_if([&](const Entry& entry) {
    if (entry.caller != &caller) {
      return false;
    }
    entry.ticket->ran_out_of = "the call waited for others until its deadline";
    --caller.open;
    take_from_queued(caller);
    return true;
  });
}

void CommandQueue::wait(Lock& lock, Caller& caller, Clock::time_point now) {
  auto until = caller.queued > 0 ? caller.deadline : store::Deadline::max();
  caller.waits = true;
  // Only whoever's turn is next looks by itself: the others are called.
  Caller* next = next_caller(now);
  if (next == &caller) {
    until = std::min(until, next_chance(now).value_or(until));
  } else if (next != nullptr && caller.called) {
    make({.bed = next->bed});  // the turn has gone on since this caller was called
  }
  caller.called = false;
  lock.unlock();
  Bed& bed = *caller.bed;
  bool in_vain = false;
  bool all_ended = false;
  {
    Lock asleep(bed.mutex);
    while (!bed.called && !in_vain) {
      if (until == store::Deadline::max()) {
        bed.changed.wait(asleep);
      } else {
        in_vain = pacing_.wait_until(bed.changed, asleep, until) == std::cv_status::timeout;
      }
    }
    bed.called = false;
    all_ended = bed.all_ended;
  }
  if (all_ended) {
    return;
  }
  lock.lock();
  caller.waits = false;
  caller.called = !in_vain;
  if (in_vain) {
    make(call_to_next());  // whose turn it is may have changed: there is always one who looks
  }
}

/// The callers of a batch that has just ended come back one by one, and the first is not to go
/// alone; nor is a batch beside others worth its costs before about as much waits as they took
/// along.
bool CommandQueue::may_begin(Clock::time_point now) const {
  std::size_t quick_ones = 0;
  std::size_t worthwhile = under_way_.empty() && now < expected_until_ ? expected_ : 0;
  for (const UnderWay& each : under_way_) {
    if (now - each.began < quick) {
      ++quick_ones;
      worthwhile = std::max(worthwhile, each.callers);
    }
  }
  return under_way_.size() < limits_.places && quick_ones < limits_.side_by_side &&
         4 * waiting_ >= 3 * worthwhile;
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
  consider(expected_until_);
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

/// Whoever works on its own account may wait for it, but only so many as leave places and
/// connections to the others.
bool CommandQueue::may_wait_for_another() const {
  const auto waits = [](const UnderWay& each) { return each.may_wait; };
  const auto waiting = std::count_if(under_way_.begin(), under_way_.end(), waits);
  return static_cast<std::size_t>(waiting) < (limits_.places - 1) / 2;
}

std::optional<CommandQueue::Batch> CommandQueue::take(Caller& caller, Clock::time_point now) {
  Account* first = may_begin(now) ? first_for(caller, now) : nullptr;
  if (first == nullptr) {
    return std::nullopt;
  }
  // Whatever may fail comes first.
  Batch batch;
  batch.accounts.reserve(turns_.size());
  batch.calls.reserve(std::min(waiting_, limits_.batch) + 1);
  batch.place = under_way_.insert(under_way_.end(), {.began = now});
  batch.began = now;
  batch.number = ++batches_;
  batch.deadline = caller.deadline;
  batch.looks_again = first->held;
  const bool has_room = may_wait_for_another();
  take_along(batch, caller, first, first->held && has_room ? Along::nobody : Along::others, now);
  batch.place->callers = batch.callers;
  for (Account* account : batch.accounts) {
    account->at_work = true;
    drop_turn(*account);
  }
  let_next_in();
  const bool is_own = std::ranges::any_of(
      batch.entries, [&](const Entry& entry) { return entry.caller == &caller; });
  batch.place->may_wait = batch.accounts.size() == 1 && is_own && has_room;
  batch.when_held = batch.place->may_wait ? WhenHeld::wait : WhenHeld::put_back;
  return batch;
}

/// How many callers the batch that begins now takes along: so many that the quick ones beside it
/// can have as many. One that took all would leave the next too few to be worth its costs.
std::size_t CommandQueue::fair_share(Clock::time_point now) const {
  std::size_t callers = waiting_callers_;
  std::size_t slow_ones = 0;
  for (const UnderWay& each : under_way_) {
    const bool is_quick = now - each.began < quick;
    callers += is_quick ? each.callers : 0;
    slow_ones += is_quick ? 0 : 1;
  }
  const std::size_t side_by_side = std::min(limits_.side_by_side, limits_.places - slow_ones);
  const bool are_many = callers >= fewest_apart;
  return are_many ? (callers + side_by_side - 1) / side_by_side : callers;
}

void CommandQueue::join(Batch& batch, Caller& caller) noexcept {
  batch.callers += std::exchange(caller.batch, batch.number) == batch.number ? 0 : 1;
}

void CommandQueue::join(Batch& batch, const Account& account) noexcept {
  for (const Entry& entry : account.waiting) {
    join(batch, *entry.caller);
  }
}

/// True where a caller that goes with the batch has a command of this account, too.
bool CommandQueue::belongs_to(const Batch& batch, const Account& account) noexcept {
  return std::ranges::any_of(
      account.waiting, [&](const Entry& entry) { return entry.caller->batch == batch.number; });
}

/// One command of each account after the other, until none is left, the batch is full, or its share
/// of the callers goes with it. All of an account goes together, since it could not go side by
/// side; so does all that a caller asks for, who waits for the last of it. Accounts that were held
/// are looked at again together, apart from those that nobody holds.
void CommandQueue::take_along(Batch& batch, Caller& leader, Account* first, Along along,
                              Clock::time_point now) {
  const std::size_t share = fair_share(now);
  join(batch, leader);
  join(batch, *first);
  batch.accounts.push_back(first);
  take_front(batch, *first);
  if (batch.entries.front().ticket->alone) {
    return;
  }
  if (along == Along::others) {
    for (Account* account : turns_) {
      if (account == first || account->held != first->held || account->not_before > now ||
          account->waiting.front().ticket->alone) {
        continue;
      }
      const bool has_room = batch.callers < share || belongs_to(batch, *account);
      if (has_room && batch.entries.size() < limits_.batch) {
        join(batch, *account);
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
  take_from_queued(*entry.caller);
  batch.entries.splice(batch.entries.end(), account.waiting, account.waiting.begin());
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
  expected_until_ = now + std::min<Clock::duration>((now - batch.began) / 4, longest_expectation);
  for (Account* account : batch.accounts) {
    account->at_work = false;
    account->held = false;
  }
  if (now >= batch.deadline) {
    give_more_time(batch);
  }
  std::size_t answered = 0;
  // From the last to the first, so that what is put back stands in its order again.
  for (auto next = batch.entries.end(); next != batch.entries.begin();) {
    const auto entry = std::prev(next);
    const Ticket& ticket = *entry->ticket;
    const bool is_open = !ticket.result && !ticket.failure;
    if (is_open && !ran_out_of_time(batch, *entry, now)) {
      put_back(batch, entry, now);
    } else {
      answered += end(batch, *entry) ? 1 : 0;
      next = entry;
    }
  }
  expected_ = answered > 1 ? answered + waiting_ : 0;
  for (Account* account : batch.accounts) {
    if (account->waiting.empty()) {
      accounts_.erase(accounts_.find(*account->user_id));
    } else {
      take_turn(*account);
    }
  }
  batch.calls.push_back(call_to_next());
}

/// What ran out of the time of another caller is tried again in its own.
void CommandQueue::give_more_time(Batch& batch) {
  for (const Entry& entry : batch.entries) {
    if (entry.caller->deadline > batch.deadline && is_for_want_of_time(entry.ticket->failure)) {
      entry.ticket->failure = nullptr;
    }
  }
}

bool CommandQueue::end(Batch& batch, const Entry& entry) {
  Caller& caller = *entry.caller;
  if (--caller.open > 0) {
    return false;
  }
  if (caller.waits) {
    batch.calls.push_back({.bed = caller.bed, .all_ended = true});
  }
  return true;
}

bool CommandQueue::ran_out_of_time(const Batch& batch, Entry& entry, Clock::time_point now) const {
  entry.held_since = entry.held_since.value_or(batch.began);
  if (now - *entry.held_since < limits_.lock_timeout) {
    return false;
  }
  entry.ticket->ran_out_of = "a lock was not had in time (lock_timeout)";
  return true;
}

void CommandQueue::put_back(Batch& batch, Entries::iterator entry, Clock::time_point now) {
  Account& account = *entry->account;
  Caller& caller = *entry->caller;
  account.held = true;
  // Among others it was only looked at in passing; by itself it can be waited for at once.
  const bool in_passing = batch.accounts.size() > 1 && !batch.looks_again;
  account.not_before = in_passing ? now : now + pause_when_held;
  account.waiting.splice(account.waiting.begin(), batch.entries, entry);
  add_to_queued(caller);
  if (caller.queued == 1 && caller.waits) {
    batch.calls.push_back({.bed = caller.bed});  // it has a deadline to look after again
  }
}

void CommandQueue::add_to_queued(Caller& caller) noexcept {
  ++waiting_;
  waiting_callers_ += caller.queued++ == 0 ? 1 : 0;
}

void CommandQueue::take_from_queued(Caller& caller) noexcept {
  --waiting_;
  waiting_callers_ -= --caller.queued == 0 ? 1 : 0;
}

void CommandQueue::take_turn(Account& account) noexcept {
  if (!account.at_work) {
    turns_.splice(turns_.end(), account.turn);
  }
}

void CommandQueue::drop_turn(Account& account) noexcept {
  if (account.turn.empty()) {
    account.turn.splice(account.turn.begin(), turns_, account.place);
  }
}

CommandQueue::Call CommandQueue::call_to_next() const {
  const Caller* next = turns_.empty() ? nullptr : next_caller(pacing_.now());
  return next == nullptr ? Call{} : Call{.bed = next->bed};
}

void CommandQueue::make(const Call& call) noexcept {
  if (call.bed == nullptr) {
    return;
  }
  {
    const std::lock_guard lock(call.bed->mutex);
    call.bed->called = true;
    call.bed->all_ended = call.bed->all_ended || call.all_ended;
  }
  call.bed->changed.notify_one();
}

}  // namespace accounting::services
