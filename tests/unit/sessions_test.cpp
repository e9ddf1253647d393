// A session while it is active: begun once, reported, extended, expired; and every repetition.
#include "unit/desk.hpp"

#include <functional>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

using namespace std::chrono_literals;

StreamingSession session(const domain::Result& result) { return answer<StreamingSession>(result); }

}  // namespace

TEST_CASE("initialize holds the estimate and the buffer, in burn order") {
  Desk desk(Policy{});
  desk.give(7, 9);
  desk.give(4, 2);
  const auto begun = session(desk.ask(domain::Initialize{"s", "m", 9}));
  CHECK(begun.status == SessionStatus::active);
  CHECK(begun.estimated_credits == 9);
  CHECK(begun.allocated_credits == 11);
  CHECK(begun.used_credits == 0);
  CHECK_FALSE(begun.reported_tokens.has_value());
  CHECK(begun.started_at == kStart);
  CHECK(begun.last_activity_at == kStart);
  CHECK(begun.expires_at == kStart + 1h);
  CHECK(desk.session("s").slices == Slices{{2, 4}, {1, 7}});
  CHECK(desk.allocation(1).held_credits == 7);
  CHECK(said(desk.ask(domain::Initialize{"t", "m", 0})) == "ok");
  CHECK(said(desk.ask(domain::Initialize{"u", "m", 1})) ==
        "insufficient_credits(required 2, available 0)");
  CHECK(desk.rows().sessions.size() == 2);
  CHECK(desk.broken() == "");
}

TEST_CASE("initialize again answers the stored session, whatever its state, and changes nothing") {
  Desk desk;
  desk.give(100);
  const auto begun = session(desk.ask(domain::Initialize{"s", "m", 10}));
  CHECK(session(desk.ask(domain::Initialize{"s", "m", 10})) == begun);
  desk.now += 10min;
  const auto extended = session(desk.ask(domain::Extend{"s", 5}));
  desk.now += 10min;
  // The first estimate is what counts, and the present one is what is answered.
  CHECK(session(desk.ask(domain::Initialize{"s", "m", 10})) == extended);
  CHECK(said(desk.ask(domain::Initialize{"s", "m", 15})) == "conflict");
  CHECK(said(desk.ask(domain::Initialize{"s", "n", 10})) == "conflict");
  CHECK(said(desk.ask(domain::Initialize{"s", "m", TokenCounts{.input = 10}})) == "conflict");
  CHECK(desk.session("s").session.last_activity_at == kStart + 10min);
  desk.finish("s", 3);
  const auto ended = session(desk.ask(domain::Initialize{"s", "m", 10}));
  CHECK(ended.status == SessionStatus::completed);
  CHECK(ended.used_credits == 3);
  CHECK(desk.rows().entries.size() == 6);
  CHECK(desk.broken() == "");
}

TEST_CASE("price and policy are those of the beginning") {
  Desk desk({.buffer = 5'000, .overage = OveragePolicy::absorb, .session_ttl = 2h});
  desk.give(1'000);
  desk.store.add_rule({.id = 1,
                       .model_id = "changing",
                       .price_per_1k_tokens = 1'000,
                       .effective_from = kStart,
                       .effective_to = kStart + 1h});
  REQUIRE(said(desk.ask(domain::Initialize{"s", "changing", 10})) == "ok");
  desk.policy = {.buffer = 0, .overage = OveragePolicy::charge, .session_ttl = 1min};
  desk.now += 90min;
  CHECK(said(desk.ask(domain::Initialize{"t", "changing", 10})) == "price_not_found");
  const auto extended = session(desk.ask(domain::Extend{"s", 10}));
  CHECK(extended.estimated_credits == 20);
  CHECK(extended.allocated_credits == 30);
  CHECK(extended.expires_at == desk.now + 2h);
  const Settlement end = desk.finish("s", 50);
  CHECK(end.overage == 20);
  CHECK(end.uncollected == 0);
  CHECK(desk.remaining(1) == 970);
  CHECK(desk.broken() == "");
}

TEST_CASE("a report keeps the largest of each kind and is a sign of life") {
  Desk desk;
  desk.give(1'000);
  desk.begin("s", 10);
  struct Row {
    std::int64_t reported;
    std::int64_t kept;
  };
  for (const auto& [reported, kept] : std::vector<Row>{{5, 5}, {3, 5}, {5, 5}, {40, 40}, {0, 40}}) {
    desk.now += 1min;
    const auto shown = session(desk.ask(domain::Report{"s", reported}));
    CHECK(shown.reported_tokens == Tokens(kept));
    CHECK(shown.last_activity_at == desk.now);
    CHECK(shown.expires_at == desk.now + 1h);
    CHECK(shown.allocated_credits == 10);
  }
  CHECK(said(desk.ask(domain::Initialize{"kinds", "m", TokenCounts{1, 1, 1}})) == "ok");
  desk.ask(domain::Report{"kinds", TokenCounts{5, 0, 7}});
  CHECK(session(desk.ask(domain::Report{"kinds", TokenCounts{1, 2, 8}})).reported_tokens ==
        Tokens(TokenCounts{5, 2, 8}));
}

TEST_CASE("a clock that was set back does not make a session look older") {
  Desk desk;
  desk.give(10);
  desk.begin("s", 1);
  desk.now -= 2h;
  CHECK(session(desk.ask(domain::Report{"s", 1})).expires_at == kStart + 1h);
  CHECK(session(desk.ask(domain::Report{"s", 1})).last_activity_at == kStart);
}

TEST_CASE("extend makes the estimate what it would have been for the sum") {
  struct Row {
    std::int64_t first;
    std::int64_t more;
    std::int64_t estimated;
    std::int64_t allocated;
  };
  // At 0.4 credits for 1,000 tokens, and a buffer of 20 %.
  const std::vector<Row> rows = {{1'000, 1'000, 1, 2}, {1'000, 1'500, 1, 2}, {1'000, 1'501, 2, 3},
                                 {0, 2'500, 1, 2},     {2'500, 0, 1, 2},     {0, 0, 0, 0},
                                 {10'000, 2'500, 5, 6}};
  for (const auto& [first, more, estimated, allocated] : rows) {
    CAPTURE(first);
    CAPTURE(more);
    Desk desk({.default_prices = {{"cheap", "0.4"}}});
    desk.give(100);
    REQUIRE(said(desk.ask(domain::Initialize{"s", "cheap", first})) == "ok");
    const auto extended = session(desk.ask(domain::Extend{"s", more}));
    CHECK(extended.estimated_tokens == Tokens(first + more));
    CHECK(extended.estimated_credits == estimated);
    CHECK(extended.allocated_credits == allocated);
    CHECK(desk.allocation(1).held_credits == allocated);
    CHECK(desk.broken() == "");
  }
}

TEST_CASE("extend, short of credits, changes nothing") {
  Desk desk;
  desk.give(10);
  desk.begin("s", 6);
  const auto before = desk.session("s");
  desk.now += 1min;
  CHECK(said(desk.ask(domain::Extend{"s", 5})) == "insufficient_credits(required 5, available 4)");
  CHECK(desk.session("s") == before);
  CHECK(said(desk.ask(domain::Extend{"s", 4})) == "ok");
}

TEST_CASE("a session is expired from the very microsecond on, and by its last report") {
  struct Row {
    std::string rule;
    std::chrono::microseconds after;
    bool expires;
  };
  for (const auto& [rule, after, expires] : std::vector<Row>{{"just before", 1h - 1us, false},
                                                             {"at the instant", 1h, true},
                                                             {"long after", 24h, true}}) {
    CAPTURE(rule);
    Desk desk;
    desk.give(20);
    desk.begin("s", 10);
    desk.now += 20min;
    desk.ask(domain::Report{"s", 7});
    desk.now += after;
    const domain::Result result = desk.ask(domain::Expire{"s"});
    if (!expires) {
      answer<domain::NothingToDo>(result);
      CHECK(desk.session("s").session.status == SessionStatus::active);
      continue;
    }
    const auto end = answer<Settlement>(result);
    CHECK(end.status == SessionStatus::expired);
    CHECK(end.actual_credits == 7);
    CHECK(end.refund == 3);
    // Safe to run twice.
    answer<domain::NothingToDo>(desk.ask(domain::Expire{"s"}));
    CHECK(desk.remaining(1) == 13);
    CHECK(desk.broken() == "");
  }
}

TEST_CASE("a session that never reported is expired for nothing, and one that is unknown is none") {
  Desk desk;
  desk.give(20);
  desk.begin("s", 10);
  desk.ask(domain::Initialize{"kinds", "m", TokenCounts{5, 0, 0}});
  desk.now += 1h;
  CHECK(answer<Settlement>(desk.ask(domain::Expire{"s"})).actual_credits == 0);
  CHECK(answer<Settlement>(desk.ask(domain::Expire{"kinds"})).refund == 5);
  CHECK(desk.session("kinds").ending->tokens == Tokens(TokenCounts{}));
  answer<domain::NothingToDo>(desk.ask(domain::Expire{"unknown"}));
  CHECK(desk.remaining(1) == 20);
  CHECK(desk.broken() == "");
}

TEST_CASE("until it is expired, a stale session goes on as usual") {
  Desk desk;
  desk.give(50);
  desk.begin("s", 10);
  desk.now += 48h;
  CHECK(said(desk.ask(domain::Report{"s", 5})) == "ok");
  desk.now += 48h;
  CHECK(said(desk.ask(domain::Extend{"s", 5})) == "ok");
  desk.now += 48h;
  CHECK(desk.finish("s", 12).status == SessionStatus::completed);
}

TEST_CASE("an ended session: the same end answers the same, everything else is SessionClosed") {
  const std::vector<domain::Action> ends = {
      domain::Finalize{"s", 6, true}, domain::Finalize{"s", 6, false}, domain::Finalize{"s", 7},
      domain::Abort{"s", 6},          domain::Abort{"s", 0},
  };
  for (std::size_t first = 0; first < ends.size(); ++first) {
    CAPTURE(first);
    Desk desk;
    desk.give(50);
    desk.begin("s", 10);
    const auto settled = answer<Settlement>(desk.ask(ends[first]));
    const std::size_t entries = desk.rows().entries.size();
    desk.now += 1h;
    for (std::size_t second = 0; second < ends.size(); ++second) {
      CAPTURE(second);
      const domain::Result result = desk.ask(ends[second]);
      if (second == first) {
        CHECK((answer<Settlement>(result) == settled));
      } else {
        CHECK(said(result) == "session_closed");
      }
    }
    CHECK(said(desk.ask(domain::Report{"s", 1})) == "session_closed");
    CHECK(said(desk.ask(domain::Extend{"s", 1})) == "session_closed");
    CHECK(said(desk.ask(domain::Finalize{"s", TokenCounts{.input = 6}})) == "session_closed");
    answer<domain::NothingToDo>(desk.ask(domain::Expire{"s"}));
    CHECK(desk.rows().entries.size() == entries);
    CHECK(desk.rows().usage_records.size() == 1);
    CHECK(desk.broken() == "");
  }
}

TEST_CASE("an expired session is closed to every caller") {
  Desk desk;
  desk.give(50);
  desk.begin("s", 10);
  desk.now += 1h;
  answer<Settlement>(desk.ask(domain::Expire{"s"}));
  CHECK(said(desk.ask(domain::Finalize{"s", 0})) == "session_closed");
  CHECK(said(desk.ask(domain::Abort{"s", 0})) == "session_closed");
}

TEST_CASE("a session keeps the form of tokens that it began with") {
  for (const bool by_kind : {false, true}) {
    Desk desk;
    desk.give(50);
    const Tokens same = by_kind ? Tokens(TokenCounts{1, 2, 3}) : Tokens(6);
    const Tokens other = by_kind ? Tokens(6) : Tokens(TokenCounts{1, 2, 3});
    REQUIRE(said(desk.ask(domain::Initialize{"s", "m", same})) == "ok");
    CHECK(said(desk.ask(domain::Report{"s", other})) == "invalid_argument(tokens_so_far)");
    CHECK(said(desk.ask(domain::Extend{"s", other})) == "invalid_argument(additional_tokens)");
    CHECK(said(desk.ask(domain::Finalize{"s", other})) == "invalid_argument(actual_tokens)");
    CHECK(said(desk.ask(domain::Abort{"s", other})) == "invalid_argument(tokens_generated)");
    CHECK(said(desk.ask(domain::Report{"s", same})) == "ok");
    CHECK(said(desk.ask(domain::Extend{"s", same})) == "ok");
    CHECK(said(desk.ask(domain::Finalize{"s", same})) == "ok");
    CHECK(desk.broken() == "");
  }
}

TEST_CASE("tokens that cost more than 10^15 credits are refused, and the session stays as it was") {
  Desk desk({.buffer = 0, .fallback_price = Price(kMostCredits)});
  desk.give(kMostCredits);
  CHECK(said(desk.ask(domain::Initialize{"t", "dear", 1'001})) ==
        "invalid_argument(estimated_tokens)");
  REQUIRE(said(desk.ask(domain::Initialize{"s", "dear", 600})) == "ok");
  CHECK(said(desk.ask(domain::Extend{"s", 401})) == "invalid_argument(additional_tokens)");
  CHECK(said(desk.ask(domain::Extend{"s", kMostTokens})) == "invalid_argument(additional_tokens)");
  CHECK(said(desk.ask(domain::Report{"s", 1'001})) == "invalid_argument(tokens_so_far)");
  CHECK(said(desk.ask(domain::Finalize{"s", 1'001})) == "invalid_argument(actual_tokens)");
  CHECK(said(desk.ask(domain::Abort{"s", kMostTokens})) == "invalid_argument(tokens_generated)");
  CHECK(desk.session("s").session.status == SessionStatus::active);
  CHECK(said(desk.ask(domain::Extend{"s", 400})) == "ok");
  CHECK(desk.finish("s", 1'000).actual_credits == kMostCredits);
  CHECK(desk.broken() == "");
}

}  // namespace accounting::testing
