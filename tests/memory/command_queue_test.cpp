// The command queue where memory runs out: whoever leaves it leaves nothing behind, nobody is
// forgotten, and the next one is served.
#include "services/command_queue.hpp"
#include "memory/failing_allocation.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace accounting::services {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::FailingAllocation;

const domain::Command kAda{
    .user_id = "ada", .actor = "host", .key = std::nullopt, .action = domain::Deduct{1}};
const domain::Command kBob{.user_id = "bob, whose name takes an allocation of its own",
                           .actor = "host",
                           .key = std::nullopt,
                           .action = domain::Deduct{1}};

void answer(std::span<Ticket* const> tickets) {
  for (Ticket* ticket : tickets) {
    ticket->result = domain::Answer(domain::NothingToDo{});
  }
}

/// Both commands in one call, of which one allocation fails; false where it made fewer.
bool run_without(CommandQueue& queue, std::int64_t allocation, std::chrono::milliseconds time) {
  std::vector<Ticket> tickets{{.command = &kAda}, {.command = &kBob}};
  const FailingAllocation failing(allocation);
  try {
    queue.run(tickets, steady_clock::now() + time);
  } catch (const std::bad_alloc&) {
    return true;
  }
  for (const Ticket& ticket : tickets) {
    CHECK((ticket.result || ticket.failure));
  }
  return FailingAllocation::has_failed();
}

/// Each allocation of the call fails once. After each the queue is empty and serves the next call.
void fail_each(CommandQueue& queue, std::chrono::milliseconds time,
               const std::function<void()>& before, const std::function<void()>& after) {
  std::int64_t allocation = 0;
  bool has_failed = true;
  while (has_failed && allocation < 100) {
    ++allocation;
    CAPTURE(allocation);
    before();
    has_failed = run_without(queue, allocation, time);
    CHECK(queue.status().waiting == 0);
    CHECK(queue.status().waiting_callers == 0);
    after();
    CHECK(queue.status().under_way == 0);
    Ticket ticket{.command = &kAda};
    queue.run(std::span(&ticket, 1), steady_clock::now() + 1min);
    CHECK(ticket.result);
  }
  CHECK(allocation > 3);
}

}  // namespace

TEST_SUITE("memory of the command queue") {
  TEST_CASE("a call that leads") {
    SystemPacing pacing;
    CommandQueue queue(
        [](std::span<Ticket* const> tickets, WhenHeld, store::Deadline) { answer(tickets); },
        pacing, {});
    fail_each(
        queue, 1min, [] {}, [] {});
  }

  TEST_CASE("a call that gives up") {
    SystemPacing pacing;
    std::atomic<bool> goes_on = true;
    CommandQueue queue(
        [&](std::span<Ticket* const> tickets, WhenHeld, store::Deadline) {
          while (!goes_on) {
            std::this_thread::sleep_for(1ms);
          }
          answer(tickets);
        },
        pacing, {.side_by_side = 1, .places = 1});
    std::optional<std::jthread> other;
    Ticket ticket{.command = &kAda};
    const auto occupy = [&] {
      goes_on = false;
      ticket = {.command = &kAda};
      other.emplace([&] { queue.run(std::span(&ticket, 1), steady_clock::now() + 1min); });
      while (queue.status().under_way == 0) {
        std::this_thread::sleep_for(1ms);
      }
    };
    const auto free = [&] {
      goes_on = true;
      other.reset();
      CHECK(ticket.result);
    };
    fail_each(queue, 20ms, occupy, free);
  }

  TEST_CASE("a call whose accounts are held, again and again") {
    SystemPacing pacing;
    std::atomic<bool> held = false;
    CommandQueue queue(
        [&](std::span<Ticket* const> tickets, WhenHeld, store::Deadline) {
          if (!held) {
            answer(tickets);
          }
        },
        pacing, {.side_by_side = 1, .places = 1});
    fail_each(
        queue, 20ms, [&] { held = true; }, [&] { held = false; });
  }
}

}  // namespace accounting::services
