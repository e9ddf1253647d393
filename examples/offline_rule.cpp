// A billing rule, tested offline: credits that expire soonest are spent first, and what an answer
// did not use goes back to where it came from, even to credits that have expired meanwhile.
//
// No server, no sleeping: the database is in memory, and time is a ManualClock that the test moves.
#include <accounting/accounting.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>

namespace {

using namespace std::chrono_literals;
using accounting::Accounting;
using accounting::CreditAllocation;
using accounting::ManualClock;
using accounting::Timestamp;

constexpr Timestamp noon =
    std::chrono::sys_days(std::chrono::year(2026) / std::chrono::March / 1) + 12h;

int failures = 0;

template <class Value>
void expect(const std::string& what, const Value& found, const Value& expected) {
  if (found == expected) {
    std::cout << "  ok    " << what << ": " << found << "\n";
    return;
  }
  std::cout << "  FAIL  " << what << ": " << found << " instead of " << expected << "\n";
  ++failures;
}

/// Books of their own for every rule: Ada with a month's credits and a day's, bought in that order.
struct Fixture {
  std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>(noon);
  Accounting books = Accounting::open({.database = "sqlite://", .clock = clock});
  std::int64_t month = 0;  // ids of the two allocations
  std::int64_t day = 0;

  Fixture() {
    // One credit per token keeps the arithmetic of the rules in sight.
    books.pricing().set({.model_id = "atlas", .price_per_1k_tokens = 1'000, .created_by = "admin"});
    books.accounts().sync({.user_id = "ada", .email = "ada@example.org", .username = "Ada"});
    month = buy(100, 30);
    day = buy(50, 1);
  }

  std::int64_t buy(std::int64_t credits, std::int64_t days) {
    return books.credits()
        .allocate(
            {.user_id = "ada", .credits = credits, .allocated_by = "admin", .expiry_days = days})
        .id;
  }

  std::int64_t balance() { return books.credits().balance("ada").total_credits; }

  CreditAllocation allocation(std::int64_t id) {
    for (const CreditAllocation& each : books.credits().history({.user_id = "ada"}).items) {
      if (each.id == id) {
        return each;
      }
    }
    return {};
  }
};

void soonest_expiring_credits_burn_first() {
  std::cout << "Credits that expire soonest are spent first\n";
  Fixture ada;
  ada.books.credits().deduct({.user_id = "ada", .credits = 70});
  expect("left of the day's 50", ada.allocation(ada.day).remaining_credits, std::int64_t{0});
  expect("left of the month's 100", ada.allocation(ada.month).remaining_credits, std::int64_t{80});
}

void a_refund_goes_back_to_where_it_came_from() {
  std::cout << "A refund goes back to where it came from, last taken first\n";
  Fixture ada;
  // 50 tokens and the buffer of 20 % hold 60 credits: the day's 50, and 10 of the month's.
  ada.books.sessions().initialize(
      {.session_id = "s-1", .user_id = "ada", .model_id = "atlas", .estimated_tokens = 50});
  ada.books.sessions().finalize({.session_id = "s-1", .user_id = "ada", .actual_tokens = 35});
  expect("left of the day's 50", ada.allocation(ada.day).remaining_credits, std::int64_t{15});
  expect("left of the month's 100", ada.allocation(ada.month).remaining_credits, std::int64_t{100});
}

void a_refund_does_not_outlive_its_allocation() {
  std::cout << "A refund to credits that have expired meanwhile expires with them\n";
  Fixture ada;
  ada.books.sessions().initialize(
      {.session_id = "s-1", .user_id = "ada", .model_id = "atlas", .estimated_tokens = 50});
  ada.clock->advance(24h);
  auto settlement =
      ada.books.sessions().abort({.session_id = "s-1", .user_id = "ada", .tokens_generated = 5});
  expect("refunded", settlement.refund, std::int64_t{55});
  expect("back in the day's 50", ada.allocation(ada.day).remaining_credits, std::int64_t{45});
  expect("to spend: the month's alone", ada.balance(), std::int64_t{100});
}

void credits_end_at_their_instant() {
  std::cout << "Credits can be spent until the instant they expire, and not at it\n";
  Fixture ada;
  ada.clock->set(noon + 24h - 1us);
  expect("to spend a microsecond before", ada.balance(), std::int64_t{150});
  ada.clock->advance(1us);
  expect("to spend at the instant", ada.balance(), std::int64_t{100});
}

void a_deduction_is_all_or_nothing() {
  std::cout << "A deduction that the balance cannot cover takes nothing\n";
  Fixture ada;
  std::string refusal = "accepted";
  try {
    ada.books.credits().deduct({.user_id = "ada", .credits = 151});
  } catch (const accounting::InsufficientCredits& error) {
    refusal = accounting::to_string(error.code());
  }
  expect("asked for 151 of 150", refusal, std::string("insufficient_credits"));
  expect("to spend afterwards", ada.balance(), std::int64_t{150});
  expect("books balance", ada.books.verify().ok, true);
}

}  // namespace

int main() {
  std::cout << std::boolalpha;
  soonest_expiring_credits_burn_first();
  a_refund_goes_back_to_where_it_came_from();
  a_refund_does_not_outlive_its_allocation();
  credits_end_at_their_instant();
  a_deduction_is_all_or_nothing();
  std::cout << (failures == 0 ? "All rules hold.\n" : "A rule does not hold.\n");
  return failures == 0 ? 0 : 1;
}
