// Burn order: earliest expiry first, those that never expire last, then the earlier allocated,
// then the smaller id.
#include "domain/burn_order.hpp"
#include "unit/desk.hpp"

#include <algorithm>
#include <vector>

namespace accounting::testing {
namespace {

using domain::BurnPosition;
using namespace std::chrono_literals;

BurnPosition expiring(std::int64_t day, std::int64_t allocated, std::int64_t id) {
  return {.expires_at = kStart + std::chrono::days(day),
          .allocated_at = kStart + std::chrono::seconds(allocated),
          .id = id};
}

BurnPosition lasting(std::int64_t allocated, std::int64_t id) {
  return {.expires_at = {}, .allocated_at = kStart + std::chrono::seconds(allocated), .id = id};
}

}  // namespace

TEST_CASE("every position stands where the burn order says") {
  const std::vector<BurnPosition> in_order = {
      expiring(1, 9, 9), expiring(2, 0, 2), expiring(2, 0, 7), expiring(2, 1, 1), expiring(3, 0, 1),
      lasting(-5, 8),    lasting(0, 3),     lasting(0, 4),     lasting(7, 1),
  };
  for (std::size_t left = 0; left < in_order.size(); ++left) {
    for (std::size_t right = 0; right < in_order.size(); ++right) {
      CAPTURE(left);
      CAPTURE(right);
      CHECK((in_order[left] <=> in_order[right]) == (left <=> right));
      CHECK((in_order[left] == in_order[right]) == (left == right));
    }
  }
  std::vector<BurnPosition> shuffled = in_order;
  std::reverse(shuffled.begin(), shuffled.end());
  std::rotate(shuffled.begin(), shuffled.begin() + 4, shuffled.end());
  std::sort(shuffled.begin(), shuffled.end());
  CHECK(shuffled == in_order);
}

TEST_CASE("a microsecond decides") {
  BurnPosition earlier = expiring(1, 0, 9);
  BurnPosition later = expiring(1, 0, 1);
  *later.expires_at += 1us;
  CHECK(earlier < later);
  earlier = lasting(0, 9);
  later = lasting(0, 1);
  later.allocated_at += 1us;
  CHECK(earlier < later);
}

TEST_CASE("a deduction follows it, over allocations given in any order") {
  Desk desk;
  desk.give(4, 0);
  desk.give(4, 9);
  desk.give(4, 2);
  desk.now += 1s;
  desk.give(4, 9);
  desk.give(4, 0);
  const auto took = answer<Deduction>(desk.ask(domain::Deduct{.credits = 18}));
  CHECK(took.slices == Slices{{3, 4}, {2, 4}, {4, 4}, {1, 4}, {5, 2}});
  CHECK(desk.remaining(5) == 2);
}

TEST_CASE("an allocation is active from effective_at on, until just before its expiry") {
  struct Row {
    std::chrono::microseconds at;
    bool revoked;
    std::int64_t remaining;
    bool active;
  };
  const std::vector<Row> rows = {
      {-1us, false, 5, false}, {0us, false, 5, true},       {1h - 1us, false, 5, true},
      {1h, false, 5, false},   {30min, true, 5, false},     {30min, false, 0, false},
      {30min, false, 5, true}, {1h + 1us, false, 5, false},
  };
  for (const auto& [at, revoked, remaining, active] : rows) {
    const domain::AllocationState allocation{
        .position = {.expires_at = kStart + 1h, .allocated_at = kStart, .id = 1},
        .effective_at = kStart,
        .remaining = remaining,
        .revoked = revoked};
    CAPTURE(at.count());
    CHECK(allocation.active(kStart + at) == active);
  }
  const domain::AllocationState forever{.position = {}, .effective_at = kStart, .remaining = 1};
  CHECK(forever.active(Timestamp::max()));
}

}  // namespace accounting::testing
