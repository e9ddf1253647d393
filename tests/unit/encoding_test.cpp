// Encoding: the stored texts, to the letter, and what is read back from them.
#include "domain/encoding.hpp"
#include "unit/desk.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace accounting::testing {
namespace {

using namespace std::chrono_literals;
using domain::Answer;

/// The answer as a repetition of its command would get it.
Answer again(const Answer& first, const domain::Command& command) {
  return domain::decode_answer(domain::encode_answer(first), command);
}

}  // namespace

TEST_CASE("tokens") {
  const std::vector<std::pair<Tokens, std::string>> rows = {
      {0, "0"},
      {1'200, "1200"},
      {kMostTokens, "1000000000000"},
      {TokenCounts{}, R"({"cached_input":0,"input":0,"output":0})"},
      {TokenCounts{.input = 900, .output = 300}, R"({"cached_input":0,"input":900,"output":300})"},
  };
  for (const auto& [tokens, text] : rows) {
    CHECK(domain::encode_tokens(tokens) == text);
    CHECK(domain::decode_tokens(text) == tokens);
  }
  // As a database may print it.
  CHECK(domain::decode_tokens(R"({"input": 1, "output": 2, "cached_input": 3})") ==
        Tokens(TokenCounts{1, 2, 3}));
}

TEST_CASE("prices") {
  const domain::TokenPrices one{.price_per_1k_tokens = "0.07"};
  CHECK(domain::encode_prices(one) ==
        R"({"cached_input":null,"input":null,"output":null,"price_per_1k_tokens":"0.07"})");
  const domain::TokenPrices all{"3", "0", "999999999999999.9999999999", "0.0000000001"};
  for (const auto& prices : {one, all}) {
    CHECK(domain::decode_prices(domain::encode_prices(prices)) == prices);
  }
}

TEST_CASE("policies") {
  const domain::PinnedPolicy standard{.buffer = 2'000,
                                      .refund = RefundPolicy::to_source,
                                      .refund_expiry_days = 30,
                                      .overage = OveragePolicy::charge,
                                      .session_ttl = 1h};
  CHECK(domain::encode_policy(standard) ==
        R"({"buffer":2000,"overage":"charge","refund":"to_source","refund_expiry_days":30,)"
        R"("session_ttl":3600000000})");
  for (const RefundPolicy refund : {RefundPolicy::to_source, RefundPolicy::new_allocation}) {
    for (const OveragePolicy overage : {OveragePolicy::charge, OveragePolicy::absorb}) {
      domain::PinnedPolicy policy = standard;
      policy.refund = refund;
      policy.overage = overage;
      policy.session_ttl = 1us;
      CHECK(domain::decode_policy(domain::encode_policy(policy)) == policy);
    }
  }
}

TEST_CASE("the answers behind keys come back whole") {
  Desk desk;
  const auto keeps = [&](const domain::Command& asked) {
    const Answer first = std::get<Answer>(desk.ask(asked));
    CAPTURE(domain::encode_answer(first));
    CHECK(again(first, asked) == first);
  };
  keeps(command(domain::Allocate{.credits = 9, .allocated_by = "admin", .notes = "a \"gift\" é"}));
  keeps(command(domain::Allocate{.credits = kMostCredits,
                                 .allocated_by = "admin",
                                 .never_expires = true,
                                 .effective_at = kStart - 1us}));
  keeps(command(domain::Deduct{.credits = 12}));
  keeps(command(domain::ChargeUsage{{"chat", "m", 5, R"({"a":1})"}}));
  keeps(command(domain::ChargeUsage{{"images", "draw", 5, std::nullopt}}));
  keeps(command(domain::RecordUsage{{"images", "draw", 5, "null"}}));
  keeps(command(domain::RecordUsage{{"images", "draw", 5, std::nullopt}}));
  desk.begin("s", 10);
  desk.now += 5us;
  keeps(command(domain::Extend{"s", 10}));
  desk.ask(domain::Report{"s", 15});
  keeps(command(domain::Extend{"s", 0}));
  desk.ask(domain::Initialize{"kinds", "m", TokenCounts{1, 2, 3}});
  desk.ask(domain::Report{"kinds", TokenCounts{1, 0, 3}});
  keeps(command(domain::Extend{"kinds", TokenCounts{3, 2, 1}}));
}

TEST_CASE("a stored answer holds what its command does not say, to the letter") {
  Desk desk;
  const auto text = [&](const domain::Action& action) {
    return domain::encode_answer(std::get<Answer>(desk.ask(action)));
  };
  CHECK(text(domain::Allocate{.credits = 3, .allocated_by = "admin", .expiry_days = 1}) ==
        R"({"allocated_at":1767225600000000,"allocation_id":1,"effective_at":1767225600000000,)"
        R"("expires_at":1767312000000000})");
  CHECK(text(domain::Allocate{.credits = 30, .allocated_by = "admin", .never_expires = true}) ==
        R"({"allocated_at":1767225600000000,"allocation_id":2,"effective_at":1767225600000000,)"
        R"("expires_at":null})");
  CHECK(text(domain::Deduct{4}) == R"({"slices":[[1,3],[2,1]]})");
  CHECK(text(domain::ChargeUsage{{"chat", "m", 2, {}}}) ==
        R"({"slices":[[2,2]],"timestamp":1767225600000000,"usage_id":1})");
  CHECK(text(domain::RecordUsage{{"chat", "m", 2, {}}}) ==
        R"({"timestamp":1767225600000000,"usage_id":2})");
}

TEST_CASE("behind a key stands the journal entry that the command ended with, where it wrote one") {
  Desk desk;
  desk.give(5);
  desk.give(5);
  desk.ask(command(domain::Deduct{8}, "took"));
  desk.ask(command(domain::RecordUsage{{"chat", "m", 2, {}}}, "only recorded"));
  CHECK(desk.rows().keys.at(0).answer == R"({"entry":4,"slices":[[1,5],[2,3]]})");
  CHECK(desk.rows().keys.at(1).answer == R"({"timestamp":1767225600000000,"usage_id":1})");
}

TEST_CASE("the metadata of a session's usage record") {
  domain::SessionRecord record;
  record.session.session_id = "a \"quoted\" name";
  record.session.estimated_credits = 12;
  record.session.started_at = kStart;
  struct Row {
    std::chrono::microseconds lasted;
    Tokens tokens;
    std::string text;
  };
  const std::vector<Row> rows = {
      {90s, 870,
       R"("duration":90.0,"estimated_credits":12,)"
       R"("session_id":"a \"quoted\" name","tokens":870)"},
      {1'500ms, TokenCounts{1, 2, 3},
       R"("duration":1.5,"estimated_credits":12,)"
       R"("session_id":"a \"quoted\" name","tokens":{"cached_input":3,"input":1,"output":2})"},
      {0s, 0,
       R"("duration":0.0,"estimated_credits":12,)"
       R"("session_id":"a \"quoted\" name","tokens":0)"},
      // A clock that was set back does not make a session last less than nothing.
      {-5s, 0,
       R"("duration":0.0,"estimated_credits":12,)"
       R"("session_id":"a \"quoted\" name","tokens":0)"},
  };
  for (const auto& [lasted, tokens, text] : rows) {
    CHECK(domain::session_metadata(record, tokens, kStart + lasted) == "{" + text + "}");
  }
}

TEST_CASE("every operation has its name") {
  const std::vector<std::pair<domain::Action, std::string>> rows = {
      {domain::Allocate{}, "allocate"},  {domain::Deduct{}, "deduct"},
      {domain::ChargeUsage{}, "charge"}, {domain::RecordUsage{}, "record"},
      {domain::Revoke{}, "revoke"},      {domain::Initialize{}, "initialize"},
      {domain::Report{}, "report"},      {domain::Extend{}, "extend"},
      {domain::Finalize{}, "finalize"},  {domain::Abort{}, "abort"},
      {domain::Expire{}, "expire"},
  };
  REQUIRE(rows.size() == std::variant_size_v<domain::Action>);
  for (const auto& [action, name] : rows) {
    CHECK(domain::operation_name(action) == name);
  }
}

}  // namespace accounting::testing
