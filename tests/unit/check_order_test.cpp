// The order of the checks: arguments, account, replay or conflict, state, price, balance. Each row
// is wrong in two ways or more, and the first of them is the answer.
#include "unit/desk.hpp"

#include <string>
#include <vector>

namespace accounting::testing {
namespace {

using namespace std::chrono_literals;

domain::Command of_nobody(domain::Command command) {
  command.user_id = "nobody";
  return command;
}

/// A past expiry, which shows only when the clock is looked at.
domain::Allocate too_late() {
  return {.credits = 5, .allocated_by = "admin", .expires_at = kStart - 1us};
}

}  // namespace

TEST_CASE("the first check that fails is the answer") {
  struct Row {
    std::string rule;
    domain::Command command;
    std::string outcome;
  };
  const std::vector<Row> rows = {
      {"argument before account", of_nobody(command(too_late())), "invalid_argument(expires_at)"},
      {"argument before conflict", command(too_late(), "used", "b"),
       "invalid_argument(expires_at)"},
      {"account before balance", of_nobody(command(domain::Deduct{5})), "not_found"},
      {"account before conflict", of_nobody(command(domain::Deduct{5}, "used", "b")), "not_found"},
      {"account before session", of_nobody(command(domain::Finalize{"open", 5})), "not_found"},
      {"account before price", of_nobody(command(domain::Initialize{"x", "unpriced", 5})),
       "not_found"},
      {"account, also where there is nothing to do", of_nobody(command(domain::Expire{"x"})),
       "not_found"},
      {"conflict before balance", command(domain::Deduct{500}, "used", "b"), "conflict"},
      {"conflict before state", command(domain::Extend{"ended", 5}, "used", "b"), "conflict"},
      {"conflict before an unknown session", command(domain::Extend{"x", 5}, "used", "b"),
       "conflict"},
      {"session conflict before price", command(domain::Initialize{"open", "unpriced", 5}),
       "conflict"},
      {"session conflict before balance", command(domain::Initialize{"open", "m", 500}),
       "conflict"},
      {"state before form", command(domain::Report{"ended", TokenCounts{1, 1, 1}}),
       "session_closed"},
      {"state before balance", command(domain::Extend{"ended", 500}), "session_closed"},
      {"form before balance", command(domain::Extend{"open", TokenCounts{.input = 500}}),
       "invalid_argument(additional_tokens)"},
      {"price before balance", command(domain::Initialize{"x", "unpriced", 500}),
       "price_not_found"},
      {"amount before balance", command(domain::Extend{"open", kMostTokens}),
       "invalid_argument(additional_tokens)"},
      {"balance last", command(domain::Deduct{500}, "new", "b"),
       "insufficient_credits(required 500, available 90)"},
      {"unknown allocation", command(domain::Revoke{9, "admin"}), "not_found"},
      {"unknown session", command(domain::Report{"x", 5}), "not_found"},
      {"unknown session, whatever the form", command(domain::Abort{"x", TokenCounts{}}),
       "not_found"},
  };
  Desk desk;
  desk.give(100);
  REQUIRE(said(desk.ask(command(domain::RecordUsage{{"images", "draw", 1, {}}}, "used", "a"))) ==
          "ok");
  desk.begin("open", 10);
  desk.begin("ended", 0);
  desk.finish("ended", 0);
  const std::size_t entries = desk.rows().entries.size();
  for (const auto& [rule, asked, outcome] : rows) {
    CAPTURE(rule);
    CHECK(said(desk.ask(asked)) == outcome);
  }
  CHECK(desk.rows().entries.size() == entries);
  CHECK(desk.rows().keys.size() == 1);
  CHECK(desk.broken() == "");
}

TEST_CASE("a refused call leaves its key and its session id free") {
  Desk desk;
  desk.give(5);
  CHECK(said(desk.ask(command(domain::Deduct{6}, "k", "six"))) ==
        "insufficient_credits(required 6, available 5)");
  CHECK(said(desk.ask(command(domain::Deduct{5}, "k", "five"))) == "ok");
  CHECK(said(desk.ask(domain::Initialize{"s", "m", 1})) ==
        "insufficient_credits(required 1, available 0)");
  CHECK(said(desk.ask(domain::Initialize{"s", "m", 0})) == "ok");
}

TEST_CASE("the same key and arguments answer the first answer, whatever has happened since") {
  Desk desk({.buffer = 0, .default_prices = {{"cheap", "0.5"}}});
  desk.give(100);
  const std::vector<domain::Command> asked = {
      command(
          domain::Allocate{
              .credits = 7, .allocated_by = "admin", .expires_at = kStart + 1h, .notes = "a gift"},
          "k-1"),
      command(domain::Deduct{30}, "k-2"),
      command(domain::ChargeUsage{{"chat", "m", 20, R"({"a":1})"}}, "k-3"),
      command(domain::RecordUsage{{"chat", "m", 20, {}}}, "k-4"),
      command(domain::Extend{"s", 10}, "k-5"),
  };
  desk.begin("s", 10);
  const auto first = desk.batch(asked);
  for (const domain::Result& result : first) {
    REQUIRE(said(result) == "ok");
  }
  desk.finish("s", 3);
  REQUIRE(said(desk.ask(domain::Revoke{1, "admin"})) == "ok");
  const std::size_t entries = desk.rows().entries.size();
  desk.now += 24h;
  const auto second = desk.batch(asked);
  for (std::size_t index = 0; index < asked.size(); ++index) {
    CAPTURE(index);
    CHECK(std::get<domain::Answer>(second[index]) == std::get<domain::Answer>(first[index]));
  }
  CHECK(desk.rows().entries.size() == entries);
  CHECK(desk.rows().keys.size() == 5);
  CHECK(desk.broken() == "");
}

TEST_CASE("one key serves one request: another operation or other arguments are a conflict") {
  Desk desk;
  desk.give(100);
  desk.begin("s", 5);
  REQUIRE(said(desk.ask(command(domain::Deduct{5}, "k", "same"))) == "ok");
  CHECK(said(desk.ask(command(domain::Deduct{6}, "k", "other"))) == "conflict");
  // Even where the arguments read the same.
  CHECK(said(desk.ask(command(domain::ChargeUsage{{"a", "b", 5, {}}}, "k", "same"))) == "conflict");
  CHECK(said(desk.ask(command(domain::RecordUsage{{"a", "b", 5, {}}}, "k", "same"))) == "conflict");
  CHECK(said(desk.ask(command(domain::Extend{"s", 5}, "k", "same"))) == "conflict");
  CHECK(said(desk.ask(command(domain::Allocate{.credits = 5}, "k", "same"))) == "conflict");
  CHECK(said(desk.ask(command(domain::Deduct{5}, "k", "same"))) == "ok");
  CHECK(desk.remaining(1) == 90);
  CHECK(desk.broken() == "");
}

TEST_CASE("keys are the account's own") {
  Desk desk;
  desk.store.add_account("bob");
  desk.give(10);
  REQUIRE(said(desk.ask(command(domain::Deduct{5}, "k", "five"))) == "ok");
  domain::Command bobs = command(domain::Deduct{5}, "k", "five");
  bobs.user_id = "bob";
  CHECK(said(desk.ask(bobs)) == "insufficient_credits(required 5, available 0)");
}

}  // namespace accounting::testing
