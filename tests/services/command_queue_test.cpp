// Command queue: who leads, what shares a batch, and who waits for whom.
#include "services/command_queue.hpp"

#include "accounting/error.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace accounting::services {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

domain::Command command_of(const std::string& user_id) {
  return {.user_id = user_id, .actor = "host", .key = std::nullopt, .action = domain::Deduct{1}};
}

store::Deadline in(std::chrono::milliseconds time) { return steady_clock::now() + time; }

/// Time goes on by one step with each look at it, and to the end of a wait in vain.
class SteppingPacing final : public Pacing {
 public:
  explicit SteppingPacing(steady_clock::duration step) : step_(step) {}

  steady_clock::time_point now() override {
    const std::lock_guard lock(mutex_);
    return time_ += step_;
  }
  void wait(std::chrono::microseconds duration) override {
    const std::lock_guard lock(mutex_);
    time_ += duration;
  }
  std::cv_status wait_until(std::condition_variable& called, std::unique_lock<std::mutex>& lock,
                            steady_clock::time_point until) override {
    if (called.wait_for(lock, 20ms) == std::cv_status::no_timeout) {
      return std::cv_status::no_timeout;
    }
    const std::lock_guard own_lock(mutex_);
    time_ = std::max(time_, until);
    return std::cv_status::timeout;
  }

 private:
  const steady_clock::duration step_;
  std::mutex mutex_;
  steady_clock::time_point time_ = steady_clock::now();
};

/// Time stands still until it is told to go on, and whoever waits looks again now and then.
class StandingPacing final : public Pacing {
 public:
  void go_on(steady_clock::duration time) { time_ = time_.load() + time; }

  steady_clock::time_point now() override { return time_; }
  void wait(std::chrono::microseconds duration) override { std::this_thread::sleep_for(duration); }
  std::cv_status wait_until(std::condition_variable& called, std::unique_lock<std::mutex>& lock,
                            steady_clock::time_point /*until*/) override {
    return called.wait_for(lock, 20ms);
  }

 private:
  std::atomic<steady_clock::time_point> time_ = steady_clock::now();
};

class Call;

/// Stands for the database: notes the batches, keeps those of some accounts under way until they
/// are let go, and answers that others are held.
class Desk {
 public:
  struct Batch {
    std::vector<std::string> users;
    WhenHeld when_held = WhenHeld::wait;
    std::thread::id leader;
  };

  explicit Desk(const CommandQueue::Limits& limits = {},
                std::unique_ptr<Pacing> chosen = std::make_unique<SystemPacing>())
      : pacing(std::move(chosen)),
        queue([this](auto tickets, WhenHeld when_held,
                     store::Deadline) { carry_out(tickets, when_held); },
              *pacing, limits) {}

  void stop_at(const std::string& user_id) {
    const std::lock_guard lock(mutex_);
    stops_.insert(user_id);
  }
  void let_go(const std::string& user_id) {
    const std::lock_guard lock(mutex_);
    stops_.erase(user_id);
    changed_.notify_all();
  }
  /// As if another transaction had it locked.
  void hold(const std::string& user_id) { stop_at(user_id + " held"); }
  void release(const std::string& user_id) { let_go(user_id + " held"); }

  std::vector<Batch> batches() {
    const std::lock_guard lock(mutex_);
    return batches_;
  }
  bool met(const std::string& user_id) {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(
        batches_, [&](const Batch& batch) { return std::ranges::count(batch.users, user_id) > 0; });
  }

  /// Nobody is stopped or held any more.
  void let_all_go() {
    const std::lock_guard lock(mutex_);
    stops_.clear();
    changed_.notify_all();
  }

  /// Runs one command; true where it had a result.
  bool run(const std::string& user_id, store::Deadline deadline = in(1min), bool alone = false) {
    return run_all({user_id}, deadline, alone) == 1;
  }

  /// Runs a command for each at once; how many had a result.
  int run_all(const std::vector<std::string>& user_ids, store::Deadline deadline = in(1min),
              bool alone = false) {
    std::vector<domain::Command> commands;
    for (const std::string& user_id : user_ids) {
      commands.push_back(command_of(user_id));
    }
    std::vector<Ticket> tickets;
    for (const domain::Command& command : commands) {
      tickets.push_back({.command = &command, .alone = alone});
    }
    {
      const std::lock_guard lock(mutex_);
      for (const Ticket& ticket : tickets) {
        callers_[&ticket] = std::this_thread::get_id();
      }
    }
    queue.run(tickets, deadline);
    return static_cast<int>(std::ranges::count_if(
        tickets, [](const Ticket& ticket) { return ticket.result && !ticket.failure; }));
  }

  Call call(const std::string& user_id, bool alone = false);
  Call call_all(const std::vector<std::string>& user_ids);

  std::unique_ptr<Pacing> pacing;
  CommandQueue queue;
  std::atomic<int> done = 0;
  std::atomic<bool> at_work_twice = false;
  std::atomic<bool> waited_for_others = false;

 private:
  void carry_out(std::span<Ticket* const> tickets, WhenHeld when_held) {
    std::unique_lock lock(mutex_);
    Batch batch{.users = {}, .when_held = when_held, .leader = std::this_thread::get_id()};
    std::set<std::string> users;
    for (const Ticket* ticket : tickets) {
      batch.users.push_back(ticket->command->user_id);
      users.insert(ticket->command->user_id);
    }
    const bool is_own = std::ranges::any_of(
        tickets, [&](const Ticket* ticket) { return callers_[ticket] == batch.leader; });
    waited_for_others = waited_for_others || (when_held == WhenHeld::wait && !is_own);
    batches_.push_back(std::move(batch));
    for (const std::string& user_id : users) {
      at_work_twice = at_work_twice || !at_work_.insert(user_id).second;
    }
    const auto stopped = [&] {
      return std::ranges::any_of(users, [&](const std::string& user_id) {
        return stops_.contains(user_id) ||
               (when_held == WhenHeld::wait && stops_.contains(user_id + " held"));
      });
    };
    changed_.wait(lock, [&] { return !stopped(); });
    for (Ticket* ticket : tickets) {
      if (!stops_.contains(ticket->command->user_id + " held")) {
        ticket->result = domain::Answer(domain::NothingToDo{});
      }
    }
    for (const std::string& user_id : users) {
      at_work_.erase(user_id);
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> stops_;
  std::set<std::string> at_work_;
  std::vector<Batch> batches_;
  std::map<const Ticket*, std::thread::id> callers_;
};

/// A thread with a call. Where a test fails, nobody is left to let it go but this.
class Call {
 public:
  Call(Desk& desk, std::jthread thread) : desk_(&desk), thread_(std::move(thread)) {}
  Call(Call&&) = default;
  Call& operator=(Call&&) = delete;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() {
    if (std::uncaught_exceptions() > 0) {
      desk_->let_all_go();
    }
  }
  void join() { thread_.join(); }

 private:
  Desk* desk_;
  std::jthread thread_;
};

Call Desk::call(const std::string& user_id, bool alone) {
  return {*this,
          std::jthread([this, user_id, alone] { done += run(user_id, in(1min), alone) ? 1 : 0; })};
}

Call Desk::call_all(const std::vector<std::string>& user_ids) {
  return {*this, std::jthread([this, user_ids] { done += run_all(user_ids); })};
}

void wait_until(const auto& condition) {
  const auto end = steady_clock::now() + 30s;
  while (!condition() && steady_clock::now() < end) {
    std::this_thread::sleep_for(1ms);
  }
  REQUIRE(condition());
}

void wait_for_waiting(Desk& desk, std::size_t commands) {
  wait_until([&] { return desk.queue.status().waiting == commands; });
}

CommandQueue::Limits one_at_a_time() { return {.side_by_side = 1, .places = 1}; }

}  // namespace

TEST_SUITE("command queue") {
  TEST_CASE(
      "a caller alone leads a batch of one, on its own thread, and may wait for its account") {
    Desk desk;
    CHECK(desk.run("ada"));
    const auto batches = desk.batches();
    REQUIRE(batches.size() == 1);
    CHECK(batches[0].users == std::vector<std::string>{"ada"});
    CHECK(batches[0].leader == std::this_thread::get_id());
    CHECK(batches[0].when_held == WhenHeld::wait);
    CHECK(desk.queue.status().under_way == 0);
  }

  TEST_CASE("whoever waits while a batch is under way shares the next one") {
    Desk desk(one_at_a_time());
    desk.stop_at("first");
    std::vector<Call> threads;
    threads.push_back(desk.call("first"));
    wait_until([&] { return desk.met("first"); });
    for (const char* user_id : {"ada", "bob", "ada", "cy"}) {
      threads.push_back(desk.call(user_id));
    }
    wait_for_waiting(desk, 4);
    desk.let_go("first");
    threads.clear();
    CHECK(desk.done == 5);
    const auto batches = desk.batches();
    REQUIRE(batches.size() == 2);
    std::vector<std::string> users = batches[1].users;
    std::ranges::sort(users);
    CHECK(users == std::vector<std::string>{"ada", "ada", "bob", "cy"});
  }

  TEST_CASE("accounts take turns: one that asks for much does not keep the others out of a batch") {
    Desk desk({.side_by_side = 1, .places = 1, .batch = 4});
    desk.stop_at("first");
    Call first = desk.call("first");
    wait_until([&] { return desk.met("first"); });
    Call greedy(desk, std::jthread([&] { desk.run_all(std::vector<std::string>(10, "greedy")); }));
    wait_for_waiting(desk, 10);
    Call ada = desk.call("ada");
    Call bob = desk.call("bob");
    wait_for_waiting(desk, 12);
    desk.let_go("first");
    ada.join();
    bob.join();
    greedy.join();
    const auto batches = desk.batches();
    CHECK(batches.at(1).users.size() == 4);
    CHECK(std::ranges::count(batches.at(1).users, "ada") == 1);
    CHECK(std::ranges::count(batches.at(1).users, "bob") == 1);
  }

  TEST_CASE("within an account first come, first served") {
    Desk desk;
    std::vector<domain::Command> commands;
    for (int number = 1; number <= 8; ++number) {
      commands.push_back(command_of("ada"));
      commands.back().action = domain::Deduct{number};
    }
    std::vector<std::int64_t> order;
    CommandQueue queue(
        [&](std::span<Ticket* const> tickets, WhenHeld, store::Deadline) {
          for (Ticket* ticket : tickets) {
            order.push_back(std::get<domain::Deduct>(ticket->command->action).credits);
            ticket->result = domain::Answer(domain::NothingToDo{});
          }
        },
        *desk.pacing, {.batch = 3});
    std::vector<Ticket> tickets;
    for (const domain::Command& command : commands) {
      tickets.push_back({.command = &command});
    }
    queue.run(tickets, in(1min));
    CHECK(order == std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7, 8});
  }

  TEST_CASE("a second batch goes beside the first, but not on its accounts") {
    Desk desk({.side_by_side = 2, .places = 4});
    desk.stop_at("ada");
    Call first = desk.call("ada");
    wait_until([&] { return desk.met("ada"); });
    Call again = desk.call("ada");
    wait_for_waiting(desk, 1);
    CHECK(desk.run("bob"));
    CHECK(desk.queue.status().waiting == 1);
    desk.let_go("ada");
    first.join();
    again.join();
    CHECK_FALSE(desk.at_work_twice);
  }

  TEST_CASE("callers that wait are shared out among the batches that go side by side") {
    struct Case {
      const char* title;
      std::vector<std::vector<std::string>> waiting;  // of each caller: whom it asks for
      std::size_t taken;  // by the next batch, beside one that a caller has under way
      std::size_t places = 2;
    };
    const std::vector<Case> cases = {
        {"eight and one are nine: half of them, rounded up",
         {{"a"}, {"b"}, {"c"}, {"d"}, {"e"}, {"f"}, {"g"}, {"h"}},
         5},
        {"seven and one are eight", {{"a"}, {"b"}, {"c"}, {"d"}, {"e"}, {"f"}, {"g"}}, 4},
        {"fewer than eight stay together", {{"a"}, {"b"}, {"c"}, {"d"}, {"e"}, {"f"}}, 6},
        {"an account's commands cannot go side by side",
         {{"a"}, {"a"}, {"a"}, {"a"}, {"a"}, {"a"}, {"a"}, {"a"}},
         8},
        {"nor can they, beside others",
         {{"a"}, {"a"}, {"a"}, {"a"}, {"a"}, {"b"}, {"c"}, {"d"}},
         5},
        {"several callers of several accounts",
         {{"a"}, {"a"}, {"b"}, {"b"}, {"c"}, {"c"}, {"d"}, {"d"}},
         6},
        {"a caller waits for all that it asks for",
         {{"a", "b", "c", "d", "e", "f"}, {"g"}, {"h"}, {"i"}, {"j"}, {"k"}, {"l"}, {"m"}},
         10},
        {"whoever shares an account with it goes along as a whole",
         {{"a", "b", "c"}, {"a", "d", "e"}, {"f"}, {"g"}, {"h"}, {"i"}, {"j"}},
         8},
        {"where only one batch has a place, it takes all",
         {{"a"}, {"b"}, {"c"}, {"d"}, {"e"}, {"f"}, {"g"}, {"h"}},
         8,
         1},
    };
    for (const Case& each : cases) {
      CAPTURE(each.title);
      Desk desk({.side_by_side = 2, .places = each.places}, std::make_unique<StandingPacing>());
      std::vector<Call> threads;
      for (std::size_t place = 0; place < each.places; ++place) {
        const std::string user_id = place == 0 ? "one" : "two";
        desk.stop_at(user_id);
        threads.push_back(desk.call(user_id));
        wait_until([&] { return desk.met(user_id); });
      }
      std::size_t commands = 0;
      for (const std::vector<std::string>& users : each.waiting) {
        threads.push_back(desk.call_all(users));
        wait_for_waiting(desk, commands += users.size());
      }
      CHECK(desk.queue.status().waiting_callers == each.waiting.size());
      desk.let_go("one");
      wait_until([&] { return desk.batches().size() > each.places; });
      CHECK(desk.batches()[each.places].users.size() == each.taken);
      desk.let_go("two");
      threads.clear();
      CHECK(static_cast<std::size_t>(desk.done) == commands + each.places);
      CHECK(desk.queue.status().waiting_callers == 0);
    }
  }

  TEST_CASE("the callers of a slow batch count for no share") {
    auto pacing = std::make_unique<StandingPacing>();
    StandingPacing& time = *pacing;
    Desk desk({.side_by_side = 2, .places = 3}, std::move(pacing));
    std::vector<Call> threads;
    const auto stop = [&](const std::string& user_id) {
      desk.stop_at(user_id);
      threads.push_back(desk.call(user_id));
      wait_until([&] { return desk.met(user_id); });
    };
    const auto call = [&](const std::vector<std::string>& user_ids) {
      for (const std::string& user_id : user_ids) {
        threads.push_back(desk.call(user_id));
      }
      wait_for_waiting(desk, user_ids.size());
    };
    stop("first");
    stop("second");
    call(std::vector<std::string>(8, "slow"));
    desk.stop_at("slow");
    desk.let_go("first");
    wait_until([&] { return desk.met("slow"); });
    desk.let_go("second");
    wait_until([&] { return desk.queue.status().under_way == 1; });
    time.go_on(20ms);
    stop("one");
    stop("two");
    call({"a", "b", "c", "d", "e", "f", "g", "h"});
    desk.let_go("one");
    wait_until([&] { return desk.batches().size() > 5; });
    CHECK(desk.batches()[5].users.size() == 5);  // of eight and one
    desk.let_all_go();
    // Whoever is left may wait a moment for those that have just been answered.
    wait_until([&] {
      time.go_on(1ms);
      return desk.done == 20;
    });
  }

  TEST_CASE("batches that are under way for long keep nobody else waiting") {
    Desk desk({.side_by_side = 1, .places = 3});
    desk.stop_at("ada");
    desk.stop_at("bob");
    Call ada = desk.call("ada");
    wait_until([&] { return desk.met("ada"); });
    Call bob = desk.call("bob");
    wait_until([&] { return desk.met("bob"); });  // in its own time, with nobody to call it
    CHECK(desk.run("cy"));
    // The last place is nowhere to wait.
    CHECK(desk.batches().back().when_held == WhenHeld::put_back);
    desk.let_go("ada");
    desk.let_go("bob");
  }

  TEST_CASE("a moment that comes between the look at the queue and the wait is not missed") {
    for (const steady_clock::duration step : {1ms, 2ms, 3ms, 4ms, 5ms, 6ms, 7ms, 8ms, 9ms}) {
      CAPTURE(step.count());
      Desk desk({.side_by_side = 1, .places = 2}, std::make_unique<SteppingPacing>(step));
      desk.stop_at("ada");
      Call ada = desk.call("ada");
      wait_until([&] { return desk.met("ada"); });
      CHECK(desk.run("bob"));  // once ada's batch is under way for long, not at the deadline
      desk.let_go("ada");
    }
  }

  TEST_CASE("what somebody holds is put back, and waited for by itself") {
    Desk desk({.side_by_side = 1, .places = 3});
    desk.hold("ada");
    std::atomic<int> answered = 0;
    Call caller(desk, std::jthread([&] { answered = desk.run_all({"ada", "bob", "ada"}); }));
    wait_until([&] { return desk.batches().size() == 2; });
    const auto batches = desk.batches();
    CHECK(batches[0].users == std::vector<std::string>{"ada", "bob", "ada"});
    CHECK(batches[0].when_held == WhenHeld::put_back);
    CHECK(batches[1].users == std::vector<std::string>{"ada", "ada"});
    CHECK(batches[1].when_held == WhenHeld::wait);
    CHECK(desk.run("cy"));
    desk.release("ada");
    caller.join();
    CHECK(answered == 3);
  }

  TEST_CASE("where there is no place to wait, a held account is looked at again and again") {
    Desk desk(one_at_a_time());
    desk.hold("ada");
    Call ada = desk.call("ada");
    wait_until([&] { return desk.batches().size() > 3; });
    CHECK(desk.run("bob"));
    desk.release("ada");
    ada.join();
    CHECK(desk.done == 1);
  }

  TEST_CASE("held accounts that no place is left to wait for are looked at again together") {
    Desk desk({.side_by_side = 2, .places = 3});
    for (const char* user_id : {"ada", "a", "b", "c", "d"}) {
      desk.hold(user_id);
    }
    Call ada = desk.call("ada");  // the one that may wait does
    wait_until([&] { return desk.met("ada"); });
    Call others = desk.call_all({"a", "b", "c", "d"});
    wait_until([&] { return desk.batches().size() > 3; });
    CHECK(desk.run("bob"));
    const auto batches = desk.batches();
    for (const std::size_t look : {1U, 2U, 3U}) {
      std::vector<std::string> users = batches[look].users;
      std::ranges::sort(users);
      CHECK(users == std::vector<std::string>{"a", "b", "c", "d"});
      CHECK(batches[look].when_held == WhenHeld::put_back);
    }
    for (const char* user_id : {"ada", "a", "b", "c", "d"}) {
      desk.release(user_id);
    }
    ada.join();
    others.join();
    CHECK(desk.done == 5);
  }

  TEST_CASE("a lock that is not had in time is a failure") {
    Desk desk({.side_by_side = 1, .places = 1, .lock_timeout = 50ms});
    desk.hold("ada");
    CHECK_FALSE(desk.run("ada"));
    desk.release("ada");
    CHECK(desk.run("ada"));
  }

  TEST_CASE("whoever is not begun by its deadline gives up; what is begun is waited for") {
    Desk desk(one_at_a_time());
    desk.stop_at("ada");
    Call ada = desk.call("ada");
    wait_until([&] { return desk.met("ada"); });
    const auto began = steady_clock::now();
    CHECK_FALSE(desk.run("bob", in(30ms)));
    CHECK(steady_clock::now() - began < 10s);
    CHECK(desk.queue.status().waiting == 0);
    CHECK(desk.queue.status().waiting_callers == 0);
    CHECK_FALSE(desk.met("bob"));
    desk.let_go("ada");
    ada.join();
    CHECK(desk.done == 1);
  }

  TEST_CASE("whose command is put back after its deadline gives up, whoever is at work") {
    Desk desk({.side_by_side = 1, .places = 1, .lock_timeout = 30s});
    desk.stop_at("first");
    desk.stop_at("second");
    desk.stop_at("third");
    desk.hold("ada");
    desk.hold("held");
    Call first = desk.call("first");
    wait_until([&] { return desk.met("first"); });
    // They are ahead of ada's call wherever somebody is to look.
    std::vector<Call> others;
    for (int number = 0; number < 3; ++number) {
      others.push_back(desk.call("held"));
    }
    wait_for_waiting(desk, 3);
    std::atomic<bool> gave_up = false;
    Call ada(desk, std::jthread([&] { gave_up = !desk.run("ada", in(300ms)); }));
    wait_for_waiting(desk, 4);
    others.push_back(desk.call("second"));
    wait_for_waiting(desk, 5);
    desk.let_go("first");
    wait_until([&] { return desk.met("second"); });
    std::this_thread::sleep_for(400ms);  // the deadline finds ada's command under way
    others.push_back(desk.call("third"));
    wait_for_waiting(desk, 1);
    desk.let_go("second");
    wait_until([&] { return desk.met("third"); });
    wait_until([&] { return gave_up.load(); });
    CHECK(desk.met("third"));
    desk.let_go("third");
    desk.release("ada");
    desk.release("held");
  }

  TEST_CASE("nobody waits for an account that only others have asked for") {
    Desk desk({.side_by_side = 1, .places = 5, .batch = 1});
    desk.stop_at("slow");
    desk.hold("held");
    // Busy with the one account, this caller leaves the other to whoever comes.
    Call first(desk, std::jthread([&] { desk.done += desk.run_all({"slow", "held"}); }));
    wait_until([&] { return desk.met("slow"); });
    Call ada = desk.call("ada");
    wait_until([&] { return desk.done == 1; });
    ada.join();
    const auto batches = desk.batches();
    REQUIRE(batches.size() >= 3);
    CHECK(batches[1].users == std::vector<std::string>{"held"});
    CHECK(batches[1].leader != batches[0].leader);
    CHECK(batches[1].when_held == WhenHeld::put_back);
    desk.let_go("slow");
    desk.release("held");
    first.join();
    CHECK(desk.done == 3);
    CHECK_FALSE(desk.waited_for_others);
  }

  TEST_CASE("a batch that ran out of one caller's time is tried again in another's") {
    std::exception_ptr failure;
    SUBCASE("a silent database") {
      failure =
          std::make_exception_ptr(store::StoreFailure(store::FailureKind::timed_out, "silent"));
    }
    SUBCASE("no connection") { failure = std::make_exception_ptr(StoreError("none free", true)); }
    SystemPacing pacing;
    std::atomic<int> tries = 0;
    std::atomic<bool> busy = true;
    CommandQueue queue(
        [&](std::span<Ticket* const> tickets, WhenHeld, store::Deadline deadline) {
          while (busy) {
            std::this_thread::sleep_for(1ms);
          }
          const bool in_vain = tickets.size() > 1;  // as a database does that is silent until then
          tries += in_vain ? 1 : 0;
          while (in_vain && steady_clock::now() < deadline) {
            std::this_thread::sleep_for(1ms);
          }
          for (Ticket* ticket : tickets) {
            if (in_vain) {
              ticket->failure = failure;
            } else {
              ticket->result = domain::Answer(domain::NothingToDo{});
            }
          }
        },
        pacing, {.side_by_side = 1, .places = 1});
    const domain::Command command = command_of("ada");
    const auto run = [&](Ticket& ticket, std::chrono::milliseconds time) {
      ticket.command = &command;
      queue.run(std::span(&ticket, 1), in(time));
    };
    std::vector<Ticket> tickets(3);
    std::jthread first([&] { run(tickets[0], 1min); });
    wait_until([&] { return queue.status().under_way == 1; });
    std::jthread hurried([&] { run(tickets[1], 300ms); });
    std::jthread patient([&] { run(tickets[2], 1min); });
    wait_until([&] { return queue.status().waiting == 2; });
    busy = false;
    first.join();
    hurried.join();
    patient.join();
    CHECK(tries == 1);
    CHECK(tickets[1].failure != nullptr);
    CHECK(tickets[2].result.has_value());
  }

  TEST_CASE("a full queue is waited for, and says so when it stays full") {
    Desk desk({.side_by_side = 1, .places = 1, .waiting = 1, .patience = 30ms});
    desk.stop_at("first");
    Call first = desk.call("first");
    wait_until([&] { return desk.met("first"); });
    Call ada = desk.call("ada");
    wait_for_waiting(desk, 1);
    CHECK_THROWS_AS(desk.run("bob"), StoreError);
    desk.let_go("first");
    first.join();
    ada.join();
    CHECK(desk.run("bob"));
  }

  TEST_CASE("what is to stand alone shares no batch") {
    Desk desk(one_at_a_time());
    desk.stop_at("first");
    std::vector<Call> threads;
    threads.push_back(desk.call("first"));
    wait_until([&] { return desk.met("first"); });
    threads.push_back(desk.call("ada"));
    wait_for_waiting(desk, 1);
    threads.push_back(desk.call("ada", true));
    wait_for_waiting(desk, 2);
    threads.push_back(desk.call("bob", true));
    wait_for_waiting(desk, 3);
    threads.push_back(desk.call("cy"));
    wait_for_waiting(desk, 4);
    desk.let_go("first");
    threads.clear();
    CHECK(desk.done == 5);
    std::vector<std::size_t> sizes;
    for (const auto& batch : desk.batches()) {
      sizes.push_back(batch.users.size());
    }
    CHECK(sizes == std::vector<std::size_t>{1, 2, 1, 1});
  }

  TEST_CASE("an exception reaches everybody whose batch it ended") {
    SystemPacing pacing;
    CommandQueue queue([](auto, WhenHeld, store::Deadline) { throw std::bad_alloc(); }, pacing, {});
    const domain::Command command = command_of("ada");
    std::vector<Ticket> tickets(2, {.command = &command});
    queue.run(tickets, in(1min));
    for (const Ticket& ticket : tickets) {
      CHECK_THROWS_AS(std::rethrow_exception(ticket.failure), std::bad_alloc);
    }
  }

  TEST_CASE("many threads, and an account that is held now and then: all are answered") {
    for (const int accounts : {4, 24}) {
      CAPTURE(accounts);
      Desk desk({.side_by_side = 2, .places = 3, .batch = 5});
      constexpr int kThreads = 12;
      constexpr int kCalls = 150;
      std::atomic<bool> over = false;
      std::jthread holder([&] {
        while (!over) {
          desk.hold("u1");
          std::this_thread::sleep_for(3ms);
          desk.release("u1");
          std::this_thread::sleep_for(1ms);
        }
      });
      std::vector<std::jthread> threads;
      for (int thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([&desk, thread, accounts] {
          for (int call = 0; call < kCalls; ++call) {
            desk.done += desk.run("u" + std::to_string((thread + call) % accounts)) ? 1 : 0;
          }
        });
      }
      threads.clear();
      over = true;
      CHECK(desk.done == kThreads * kCalls);
      CHECK_FALSE(desk.at_work_twice);
      CHECK_FALSE(desk.waited_for_others);
      CHECK(desk.queue.status().waiting == 0);
      CHECK(desk.queue.status().waiting_callers == 0);
    }
  }
}

}  // namespace accounting::services
