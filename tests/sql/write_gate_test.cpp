// WriteGate: one writer at a time, in the order in which they came.
#include "sql/write_gate.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>
#include <vector>

namespace accounting::testing {

using namespace std::chrono_literals;

TEST_CASE("writers pass the gate in the order in which they came") {
  constexpr int kWriters = 8;
  sql::WriteGate gate;
  REQUIRE(gate.pass_until(std::chrono::steady_clock::now() + 0ms));
  std::vector<int> order;
  {
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < kWriters; ++writer) {
      writers.emplace_back([&, writer] {
        CHECK(gate.pass_until(std::chrono::steady_clock::now() + 1min));
        order.push_back(writer);  // under the gate
        gate.release();
      });
      while (gate.waiting() < static_cast<std::size_t>(writer) + 1) {
        std::this_thread::yield();
      }
    }
    gate.release();
  }
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("who gives up waiting keeps nobody behind it out") {
  sql::WriteGate gate;
  REQUIRE(gate.pass_until(std::chrono::steady_clock::now() + 0ms));
  bool passed = false;
  {
    std::jthread impatient(
        [&] { CHECK_FALSE(gate.pass_until(std::chrono::steady_clock::now() + 50ms)); });
    while (gate.waiting() < 1) {
      std::this_thread::yield();
    }
    std::jthread patient([&] {
      passed = gate.pass_until(std::chrono::steady_clock::now() + 1min);
      gate.release();
    });
    impatient.join();
    gate.release();
  }
  CHECK(passed);
  CHECK(gate.pass_until(std::chrono::steady_clock::now() + 0ms));
}

}  // namespace accounting::testing
