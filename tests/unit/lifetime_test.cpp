// How long an allocation lasts: from when, until when, and which requests cannot be had.
#include "domain/rules.hpp"
#include "domain/validation.hpp"
#include "unit/desk.hpp"

#include <string>
#include <variant>
#include <vector>

namespace accounting::testing {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;

domain::Allocate lasting(std::int64_t for_days) { return {.expiry_days = for_days}; }
domain::Allocate until(Timestamp instant) { return {.expires_at = instant}; }
domain::Allocate forever() { return {.never_expires = true}; }
domain::Allocate from(Timestamp instant, domain::Allocate request) {
  request.effective_at = instant;
  return request;
}

/// "+0us to +86400000000us", counted from now; or "to never"; or the argument at fault.
std::string lifetime(const domain::Allocate& request, Timestamp now = kStart,
                     const Policy& policy = {}) {
  const auto found = domain::lifetime_of(request, now, policy);
  if (const auto* refusal = std::get_if<domain::Refusal>(&found)) {
    return said(*refusal);
  }
  const auto& [effective_at, expires_at] = std::get<domain::Lifetime>(found);
  const auto offset = [&](Timestamp instant) {
    const auto whole = std::chrono::floor<days>(instant - now);
    const auto rest = (instant - now - whole).count();
    return std::to_string(whole.count()) + "d" + (rest == 0 ? "" : std::to_string(rest) + "us");
  };
  return offset(effective_at) + " to " + (expires_at ? offset(*expires_at) : "never");
}

}  // namespace

TEST_CASE("what lasts how long") {
  const Timestamp now = kStart;
  struct Row {
    std::string rule;
    domain::Allocate request;
    std::string lifetime;
  };
  const std::vector<Row> rows = {
      {"nothing said: the policy's days", {}, "0d to 30d"},
      {"days, of 24 hours", lasting(7), "0d to 7d"},
      {"an instant", until(now + 90min), "0d to 0d5400000000us"},
      {"a microsecond from now", until(now + 1us), "0d to 0d1us"},
      {"never", forever(), "0d to never"},
      {"days count from now, not from effective_at", from(now + days(5), lasting(7)), "5d to 7d"},
      {"the policy's days as well", from(now + days(5), {}), "5d to 30d"},
      {"an effective_at that is past", from(now - days(3), lasting(1)), "-3d to 1d"},
      {"a later effective_at, never", from(now + days(9), forever()), "9d to never"},
      {"an instant after effective_at", from(now + 1h, until(now + 1h + 1us)),
       "0d3600000000us to 0d3600000001us"},
      {"the most days", lasting(1'000'000), "0d to 1000000d"},

      {"an instant that is now", until(now), "invalid_argument(expires_at)"},
      {"an instant that is past", until(now - 1us), "invalid_argument(expires_at)"},
      {"an instant at effective_at", from(now + 1h, until(now + 1h)),
       "invalid_argument(expires_at)"},
      {"after effective_at, but not after now", from(now - 2h, until(now - 1h)),
       "invalid_argument(expires_at)"},
      {"days that end at effective_at", from(now + days(7), lasting(7)),
       "invalid_argument(expiry_days)"},
      {"the policy's days end before effective_at", from(now + days(31), {}),
       "invalid_argument(effective_at)"},
  };
  for (const auto& [rule, request, expected] : rows) {
    CAPTURE(rule);
    CHECK(lifetime(request) == expected);
  }
}

TEST_CASE("the policy's days are the policy's") {
  CHECK(lifetime({}, kStart, {.allocation_expiry_days = 90}) == "0d to 90d");
  CHECK(lifetime(lasting(2), kStart, {.allocation_expiry_days = 90}) == "0d to 2d");
}

TEST_CASE("nothing expires after the year 9999") {
  const Timestamp late = domain::latest_instant - days(10) - 5us;
  CHECK(lifetime(lasting(10), late) == "0d to 10d");
  CHECK(lifetime(lasting(11), late) == "invalid_argument(expiry_days)");
  CHECK(lifetime({}, late) == "invalid_argument(expiry_days)");
  CHECK(lifetime(forever(), late) == "0d to never");
  CHECK(lifetime(lasting(1), domain::latest_instant) == "invalid_argument(expiry_days)");

  CHECK(domain::days_after(kStart, 30) == kStart + days(30));
  CHECK(domain::days_after(late, 10) == late + days(10));
  CHECK(domain::days_after(late, 11) == domain::latest_instant);
  CHECK(domain::days_after(late, 1'000'000) == domain::latest_instant);
}

TEST_CASE("a session's end stays within the years that can be stored") {
  Desk desk({.buffer = 0, .session_ttl = std::chrono::hours(24) * 30});
  desk.now = domain::latest_instant - 1h;
  REQUIRE(said(desk.ask(forever())) == "ok");
  const auto session = answer<StreamingSession>(desk.ask(domain::Initialize{"s", "m", 0}));
  CHECK(session.expires_at == domain::latest_instant);
}

TEST_CASE("an account's credits in all stay within 64 bits") {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  domain::AccountState account;
  account.all_loaded = true;
  account.counters.allocated_credits = most - 5;
  account.counters.used_credits = most - 5;
  domain::State state;
  state.accounts["ada"] = account;
  const auto ask = [&](domain::Action action) {
    const std::vector<domain::Command> commands{command(std::move(action))};
    return said(domain::decide(state, commands, kStart, {}).results.front());
  };
  CHECK(ask(domain::RecordUsage{{"images", "draw", 6, {}}}) == "invalid_argument(credits)");
  CHECK(ask(domain::ChargeUsage{{"images", "draw", 6, {}}}) == "invalid_argument(credits)");
  CHECK(ask(domain::RecordUsage{{"images", "draw", 5, {}}}) == "ok");
  CHECK(ask(domain::Allocate{.credits = 6}) == "invalid_argument(credits)");
  CHECK(ask(domain::Allocate{.credits = 5}) == "ok");
  CHECK(state.accounts["ada"].counters.allocated_credits == most);
  CHECK(state.accounts["ada"].counters.used_credits == most);
}

}  // namespace accounting::testing
