// Command queue: the commands of all callers that wait, and who carries them out. The first caller
// that waits takes along those that share its transaction; nobody else's thread does any work.
#pragma once

#include "domain/command.hpp"
#include "services/pacing.hpp"
#include "store/store.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace accounting::services {

/// What is done where another transaction has an account locked: its commands wait for it, or are
/// put back while those of other accounts are carried out.
enum class WhenHeld { wait, put_back };

/// Commands that others may have to wait behind: more share the updates of an account, of its
/// allocation and of its day, and one COMMIT, but hold all of that for longer.
inline constexpr std::size_t most_in_a_batch = 1'000;

/// A command on its way to an answer. Belongs to the caller; in the end it has a result or a
/// failure.
struct Ticket {
  const domain::Command* command = nullptr;
  bool alone = false;  ///< not to be mixed with others: it may be what a transaction failed for
  std::optional<domain::Result> result = std::nullopt;
  std::exception_ptr failure = nullptr;
  const char* ran_out_of = nullptr;  ///< while it is in the queue: the failure that it will have
};

/// Thread-safe. Within an account first come, first served, but for what a failure is tried again
/// after; accounts take turns. Two batches that are under way at once have no account in common.
class CommandQueue {
 public:
  /// Carries tickets out and gives each its result or failure; one left with neither was put back.
  using CarryOut = std::function<void(std::span<Ticket* const>, WhenHeld, store::Deadline)>;

  struct Limits {
    std::size_t side_by_side = 2;         ///< batches under way at once, as long as they are quick
    std::size_t places = 3;               ///< the same, where some have been under way for long
    std::size_t batch = most_in_a_batch;  ///< commands
    std::size_t waiting = 20'000;  ///< commands in the queue; whoever comes then waits for a place
    std::chrono::milliseconds patience{10'000};  ///< for a place
    std::chrono::milliseconds lock_timeout{10'000};
  };

  /// `pacing` tells the time, and outlives the queue.
  CommandQueue(CarryOut carry_out, Pacing& pacing, const Limits& limits);
  CommandQueue(const CommandQueue&) = delete;
  CommandQueue& operator=(const CommandQueue&) = delete;
  ~CommandQueue() = default;

  /// Returns when all tickets have their result or failure. What nobody has begun by the deadline
  /// fails with StoreFailure (timed_out). Throws StoreError (retryable) where the queue stays full.
  void run(std::span<Ticket> tickets, store::Deadline deadline);

  /// How many commands wait, of how many callers, and how many batches are under way.
  struct Status {
    std::size_t waiting = 0;
    std::size_t waiting_callers = 0;
    std::size_t under_way = 0;
  };
  [[nodiscard]] Status status() const;

 private:
  using Clock = std::chrono::steady_clock;

  struct Account;

  /// Where a thread sleeps. Outlives the thread's call for whoever is about to call it: that
  /// happens without the queue's lock, which those who are called would only wait for.
  struct Bed {
    std::mutex mutex;
    std::condition_variable changed;
    bool called = false;
    bool all_ended = false;  ///< the thread's tickets: it need not look at the queue again
  };

  /// A thread that waits for its tickets.
  struct Caller {
    std::shared_ptr<Bed> bed;
    store::Deadline deadline;
    std::size_t open = 0;     ///< tickets without result or failure
    std::size_t queued = 0;   ///< those of them that are in the queue
    bool waits = false;       ///< and is not busy with a batch
    bool called = false;      ///< and has not looked at the queue since
    std::uint64_t batch = 0;  ///< the number of the last one that it went with
  };

  /// A ticket's place in the queue.
  struct Entry {
    Ticket* ticket = nullptr;
    Caller* caller = nullptr;
    Account* account = nullptr;
    std::optional<Clock::time_point> held_since;
  };
  /// Entries and turns move from list to list as they are, so that nothing has to be allocated once
  /// they are in the queue.
  using Entries = std::list<Entry>;

  struct Account {
    const std::string* user_id = nullptr;
    Entries waiting;
    std::list<Account*> turn;  ///< its place in `turns_`, kept here while it has none there
    std::list<Account*>::iterator place;  ///< the same
    bool at_work = false;
    bool held = false;  ///< by another transaction, when last looked at
    Clock::time_point not_before{};
  };

  /// Of a thread that waits for room.
  struct PlaceInLine {
    std::size_t tickets = 0;
    std::condition_variable called = {};
  };

  /// Who is to be called once the queue's lock is given back.
  struct Call {
    std::shared_ptr<Bed> bed;
    bool all_ended = false;
  };

  struct UnderWay {
    Clock::time_point began;
    std::size_t callers = 0;
    bool may_wait = false;  ///< for an account that another transaction holds
  };

  struct Batch {
    Entries entries;
    std::vector<Account*> accounts;
    std::vector<Call> calls;  ///< when it has ended
    std::uint64_t number = 0;
    std::size_t callers = 0;
    bool looks_again = false;  ///< at accounts that were held
    WhenHeld when_held = WhenHeld::put_back;
    store::Deadline deadline = store::Deadline::max();
    Clock::time_point began{};
    std::list<UnderWay>::iterator place;
  };

  /// Whether a batch takes other accounts along: one that is waited for stays by itself.
  enum class Along { nobody, others };

  using Lock = std::unique_lock<std::mutex>;

  void wait_for_room(Lock& lock, std::size_t tickets, store::Deadline deadline);
  [[nodiscard]] bool has_room(std::size_t tickets) const noexcept;
  void let_next_in() noexcept;
  void enter(Entries& entries);
  void wait_or_lead(Lock& lock, Caller& caller);
  void abandon(Lock& lock, Caller& caller) noexcept;
  void leave(Caller& caller) noexcept;
  void leave(Caller& caller, Account& account) noexcept;
  /// `now` is the time at which there was nothing to begin.
  void wait(Lock& lock, Caller& caller, Clock::time_point now);

  [[nodiscard]] bool may_begin(Clock::time_point now) const;
  [[nodiscard]] std::optional<Clock::time_point> next_chance(Clock::time_point now) const;
  [[nodiscard]] Caller* next_caller(Clock::time_point now) const;
  std::optional<Batch> take(Caller& caller, Clock::time_point now);
  Account* first_for(const Caller& caller, Clock::time_point now);
  [[nodiscard]] std::size_t fair_share(Clock::time_point now) const;
  static void join(Batch& batch, Caller& caller) noexcept;
  static void join(Batch& batch, const Account& account) noexcept;
  [[nodiscard]] static bool belongs_to(const Batch& batch, const Account& account) noexcept;
  [[nodiscard]] bool may_wait_for_another() const;
  void take_along(Batch& batch, Caller& leader, Account* first, Along along, Clock::time_point now);
  void take_front(Batch& batch, Account& account);
  void lead(Batch& batch) noexcept;
  void finish(Batch& batch) noexcept;
  [[nodiscard]] bool ran_out_of_time(const Batch& batch, Entry& entry, Clock::time_point now) const;
  void put_back(Batch& batch, Entries::iterator entry, Clock::time_point now);
  /// True where it was the caller's last.
  static bool end(Batch& batch, const Entry& entry);
  void give_more_time(Batch& batch);
  void add_to_queued(Caller& caller) noexcept;
  void take_from_queued(Caller& caller) noexcept;
  void take_turn(Account& account) noexcept;
  void drop_turn(Account& account) noexcept;
  /// Whoever is to look whether the next batch can begin.
  [[nodiscard]] Call call_to_next() const;
  static void make(const Call& call) noexcept;

  CarryOut carry_out_;
  Pacing& pacing_;
  Limits limits_;
  mutable std::mutex mutex_;
  std::list<PlaceInLine> line_for_room_;               ///< the one who came first at the front
  std::unordered_map<std::string, Account> accounts_;  ///< those with commands here
  std::list<Account*> turns_;        ///< who has commands waiting and nothing under way
  std::list<UnderWay> under_way_;    ///< the batch that began first at the front
  std::size_t waiting_ = 0;          ///< tickets
  std::size_t waiting_callers_ = 0;  ///< whose they are
  std::uint64_t batches_ = 0;
  /// What waited when the last batch ended and the callers whom it answered, who may come back
  /// until then.
  std::size_t expected_ = 0;
  Clock::time_point expected_until_{};
};

}  // namespace accounting::services
