// Turns: one call of a process at a time is at work on an account.
#include "services/turns.hpp"

#include <doctest/doctest.h>
#include <accounting/error.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace accounting::services {
namespace {

using namespace std::chrono_literals;

Turns::Patience in(std::chrono::milliseconds time) {
  return {.deadline = std::chrono::steady_clock::now() + time, .for_each = 1min};
}

void wait_for_waiting(const Turns& turns, std::size_t waiting) {
  while (turns.waiting() < waiting) {
    std::this_thread::sleep_for(1ms);
  }
}

}  // namespace

TEST_SUITE("turns") {
  TEST_CASE("one call is at work on an account, a second waits, and others do not") {
    Turns turns;
    {
      const Turns::Turn first(turns, {"ada", "bob"}, in(0ms));
      CHECK_THROWS_AS(Turns::Turn(turns, {"ada"}, in(20ms)), store::StoreFailure);
      const Turns::Turn other(turns, {"cyd"}, in(0ms));
    }
    const Turns::Turn second(turns, {"ada"}, in(0ms));
  }

  TEST_CASE("nobody waits for what nobody is named for") {
    Turns turns;
    const Turns::Turn first(turns, {}, in(0ms));
    const Turns::Turn second(turns, {}, in(0ms));
  }

  TEST_CASE("whoever waited first goes first") {
    Turns turns;
    auto first = std::make_unique<Turns::Turn>(turns, std::set<std::string>{"ada"}, in(0ms));
    std::vector<int> order;
    std::vector<std::jthread> threads;
    for (int number = 0; number < 4; ++number) {
      threads.emplace_back([&, number] {
        const Turns::Turn turn(turns, {"ada"}, in(1min));
        order.push_back(number);  // alone, since it is its turn
      });
      wait_for_waiting(turns, static_cast<std::size_t>(number) + 1);
    }
    first.reset();
    threads.clear();
    CHECK(order == std::vector{0, 1, 2, 3});
  }

  TEST_CASE("whoever gives up gives back what it had") {
    Turns turns;
    const Turns::Turn first(turns, {"bob"}, in(0ms));
    for (int time = 0; time < 5; ++time) {
      CHECK_THROWS_AS(Turns::Turn(turns, {"ada", "bob"}, in(1ms)), store::StoreFailure);
    }
    const Turns::Turn second(turns, {"ada"}, in(0ms));
  }

  TEST_CASE("each turn is waited for by itself, and all of them until the deadline") {
    Turns turns;
    std::vector<std::unique_ptr<Turns::Turn>> held;
    const std::vector<std::string> names = {"ada", "bob", "cyd"};
    for (const std::string& name : names) {
      held.push_back(std::make_unique<Turns::Turn>(turns, std::set<std::string>{name}, in(0ms)));
    }
    const auto all = std::set<std::string>(names.begin(), names.end());
    CHECK_THROWS_AS(Turns::Turn(turns, all, {.deadline = in(1min).deadline, .for_each = 20ms}),
                    store::StoreFailure);
    CHECK_THROWS_AS(Turns::Turn(turns, all, in(20ms)), store::StoreFailure);
    std::jthread releaser([&] {
      for (auto& each : held) {
        wait_for_waiting(turns, 1);
        std::this_thread::sleep_for(300ms);
        each.reset();
      }
    });
    const Turns::Turn patient(turns, all, {.deadline = in(1min).deadline, .for_each = 800ms});
  }

  TEST_CASE("where the books are closed nobody waits, and nobody begins") {
    Turns turns;
    auto first = std::make_unique<Turns::Turn>(turns, std::set<std::string>{"ada"}, in(0ms));
    std::atomic<int> conflicts = 0;
    const auto wait = [&] {
      try {
        const Turns::Turn turn(turns, {"ada"}, in(1min));
      } catch (const Conflict&) {
        ++conflicts;
      }
    };
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 3; ++thread) {
      threads.emplace_back(wait);
    }
    wait_for_waiting(turns, 3);
    turns.close();
    threads.clear();
    CHECK(conflicts == 3);
    CHECK_THROWS_AS(Turns::Turn(turns, {"bob"}, in(1min)), Conflict);
    first.reset();
    CHECK_THROWS_AS(Turns::Turn(turns, {"ada"}, in(1min)), Conflict);
  }

  TEST_CASE("many threads on few accounts all get their turn") {
    Turns turns;
    std::vector<std::jthread> threads;
    std::atomic<int> had = 0;
    std::atomic<int> at_work = 0;
    std::atomic<bool> too_many = false;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&] {
        for (int time = 0; time < 200; ++time) {
          const Turns::Turn turn(turns, {"ada", "bob"}, in(1min));
          too_many = too_many || ++at_work > 1;
          --at_work;
          ++had;
        }
      });
    }
    threads.clear();
    CHECK(had == 8 * 200);
    CHECK_FALSE(too_many);
  }
}

}  // namespace accounting::services
