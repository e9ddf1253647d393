// Turns: how many calls of a process are at work on one account at once.
#include "services/turns.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace accounting::services {
namespace {

using namespace std::chrono_literals;

store::Deadline in(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

}  // namespace

TEST_SUITE("turns") {
  TEST_CASE("two calls are at work on an account, a third waits, and others do not") {
    Turns turns;
    const Turns::Turn first(turns, {"ada"}, in(0ms));
    {
      const Turns::Turn second(turns, {"ada", "bob"}, in(0ms));
      CHECK_THROWS_AS(Turns::Turn(turns, {"ada"}, in(20ms)), store::StoreFailure);
      const Turns::Turn other(turns, {"bob"}, in(0ms));
    }
    const Turns::Turn third(turns, {"ada"}, in(0ms));
  }

  TEST_CASE("whoever gives up gives back what it had") {
    Turns turns;
    const Turns::Turn first(turns, {"bob"}, in(0ms));
    const Turns::Turn second(turns, {"bob"}, in(0ms));
    for (int time = 0; time < 5; ++time) {
      CHECK_THROWS_AS(Turns::Turn(turns, {"ada", "bob"}, in(1ms)), store::StoreFailure);
    }
    const Turns::Turn third(turns, {"ada"}, in(0ms));
    const Turns::Turn fourth(turns, {"ada"}, in(0ms));
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
          too_many = too_many || ++at_work > 2;
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
