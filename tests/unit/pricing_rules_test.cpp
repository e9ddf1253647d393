// Pricing rules: what a new rule does to those that are stored, and which price is in force.
#include "domain/pricing_rules.hpp"
#include "unit/desk.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

using domain::PriceChange;
using std::chrono::days;

constexpr std::int64_t open_end = 0;

Timestamp day(std::int64_t number) { return kStart + days(number); }

std::optional<Timestamp> end_of(std::int64_t number) {
  return number == open_end ? std::nullopt : std::optional(day(number));
}

/// Rules of one model, as a store keeps them: in order of their start.
class Rules {
 public:
  /// "added #2", "closed #1, added #2", "stored #1", or the refusal.
  std::string set(const std::string& price, std::int64_t from, std::int64_t to = open_end) {
    return set({.model_id = "m",
                .price_per_1k_tokens = price,
                .created_by = "admin",
                .effective_from = day(from),
                .effective_to = end_of(to)});
  }

  std::string set(const SetPriceRequest& request, Timestamp now = kStart) {
    const auto decided = domain::decide_price(rules_, request, now);
    if (const auto* refusal = std::get_if<domain::Refusal>(&decided)) {
      return said(*refusal);
    }
    const auto& change = std::get<PriceChange>(decided);
    if (change.stored_already) {
      CHECK(std::find(rules_.begin(), rules_.end(), change.rule) != rules_.end());
      return "stored #" + std::to_string(change.rule.id);
    }
    std::string text;
    if (change.closes) {
      text = "closed #" + std::to_string(change.closes->id) + ", ";
      for (PricingRule& rule : rules_) {
        rule = rule.id == change.closes->id ? *change.closes : rule;
      }
    }
    rules_.push_back(change.rule);
    std::sort(rules_.begin(), rules_.end(), [](const auto& left, const auto& right) {
      return left.effective_from < right.effective_from;
    });
    return text + "added #" + std::to_string(change.rule.id);
  }

  /// "1: 0-5, 2: 5-": prices and the days on which they start and end.
  [[nodiscard]] std::string listed() const {
    std::string text;
    for (const PricingRule& rule : rules_) {
      const auto number = [](Timestamp instant) {
        return std::to_string(std::chrono::floor<days>(instant - kStart).count());
      };
      text += (text.empty() ? "" : ", ") + rule.price_per_1k_tokens.to_string() + ": " +
              number(rule.effective_from) + "-" +
              (rule.effective_to ? number(*rule.effective_to) : "");
    }
    return text;
  }

 private:
  std::vector<PricingRule> rules_;
};

}  // namespace

TEST_CASE("a new rule closes the open one at its start") {
  Rules rules;
  CHECK(rules.set("1", 0) == "added #1");
  CHECK(rules.set("2", 5) == "closed #1, added #2");
  CHECK(rules.set("3", 9) == "closed #2, added #3");
  CHECK(rules.listed() == "1: 0-5, 2: 5-9, 3: 9-");
}

TEST_CASE("a rule with an end closes the open one too, and leaves a gap after itself") {
  Rules rules;
  CHECK(rules.set("1", 0) == "added #1");
  CHECK(rules.set("2", 5, 7) == "closed #1, added #2");
  CHECK(rules.listed() == "1: 0-5, 2: 5-7");
  CHECK(rules.set("3", 9) == "added #3");
  CHECK(rules.listed() == "1: 0-5, 2: 5-7, 3: 9-");
}

TEST_CASE("where a rule cannot start") {
  struct Row {
    std::string rule;
    std::int64_t from;
    std::int64_t to;
    std::string outcome;
  };
  // Stored: 2 from day 10 to 20, 3 from day 30 to 40, 4 from day 50 on.
  const std::vector<Row> rows = {
      {"inside a closed rule", 15, open_end, "conflict"},
      {"inside a closed rule, with an end in it", 15, 16, "conflict"},
      {"just inside the end of a closed rule", 19, 25, "conflict"},
      {"before the open rule's start, in a gap", 45, open_end, "conflict"},
      {"before the open rule's start, with an end before it", 45, 48, "conflict"},
      {"before all", 5, open_end, "conflict"},
      {"at a start that has other values", 10, open_end, "conflict"},
      {"an end at its start", 60, 60, "invalid_argument(effective_to)"},
      {"an end before its start", 60, 59, "invalid_argument(effective_to)"},
      {"after the open rule's start", 51, open_end, "closed #3, added #4"},
  };
  for (const auto& [rule, from, to, outcome] : rows) {
    CAPTURE(rule);
    Rules rules;
    REQUIRE(rules.set("2", 10, 20) == "added #1");
    REQUIRE(rules.set("3", 30, 40) == "added #2");
    REQUIRE(rules.set("4", 50) == "added #3");
    const std::string before = rules.listed();
    CHECK(rules.set("9", from, to) == outcome);
    if (outcome.find("added") == std::string::npos) {
      CHECK(rules.listed() == before);
    }
  }
}

TEST_CASE("between closed rules, where none is open") {
  struct Row {
    std::string rule;
    std::int64_t from;
    std::int64_t to;
    std::string outcome;
  };
  // Stored: from day 10 to 20 and from day 30 to 40.
  const std::vector<Row> rows = {
      {"fills the gap", 20, 30, "added #3"},
      {"within the gap", 22, 25, "added #3"},
      {"from an end on, up to the next start", 20, 29, "added #3"},
      {"into the next rule", 25, 31, "conflict"},
      {"open, over the next rule", 25, open_end, "conflict"},
      {"before all, up to the first start", 1, 10, "added #3"},
      {"before all, over all", 1, 50, "conflict"},
      {"from the last end on", 40, open_end, "added #3"},
  };
  for (const auto& [rule, from, to, outcome] : rows) {
    CAPTURE(rule);
    Rules rules;
    REQUIRE(rules.set("2", 10, 20) == "added #1");
    REQUIRE(rules.set("3", 30, 40) == "added #2");
    CHECK(rules.set("9", from, to) == outcome);
  }
}

TEST_CASE("the same rule again answers the stored one") {
  Rules rules;
  REQUIRE(rules.set("1", 0) == "added #1");
  CHECK(rules.set("1", 0) == "stored #1");
  CHECK(rules.set("1.0", 0) == "stored #1");
  CHECK(rules.set("1.1", 0) == "conflict");
  CHECK(rules.set("1", 0, 5) == "conflict");
  REQUIRE(rules.set("2", 5, 8) == "closed #1, added #2");
  // Also when the next rule has closed it since.
  CHECK(rules.set("1", 0) == "stored #1");
  CHECK(rules.set("1", 0, 5) == "stored #1");
  CHECK(rules.set("1", 0, 4) == "conflict");
  CHECK(rules.set("2", 5, 8) == "stored #2");
  CHECK(rules.set("2", 5, 9) == "conflict");
  CHECK(rules.set("2", 5) == "conflict");

  const SetPriceRequest kinds{.model_id = "m",
                              .price_per_1k_tokens = 3,
                              .created_by = "admin",
                              .effective_from = day(20),
                              .input = "1",
                              .output = "2"};
  REQUIRE(rules.set(kinds) == "added #3");
  CHECK(rules.set(kinds) == "stored #3");
  SetPriceRequest other = kinds;
  other.created_by = "somebody else";
  CHECK(rules.set(other) == "stored #3");
  other.output = "2.5";
  CHECK(rules.set(other) == "conflict");
  other.output.reset();
  CHECK(rules.set(other) == "conflict");
}

TEST_CASE("a rule starts now unless it says otherwise, and may start in the past") {
  Rules rules;
  const SetPriceRequest now{.model_id = "m", .price_per_1k_tokens = 1, .created_by = "admin"};
  CHECK(rules.set(now, day(3)) == "added #1");
  CHECK(rules.listed() == "1: 3-");
  CHECK(rules.set("2", 1) == "conflict");
  Rules past;
  CHECK(past.set("2", -100) == "added #1");
}

TEST_CASE("the price in force: the stored rule, else the model's default, else the fallback") {
  const PricingRule rule{.price_per_1k_tokens = 7, .input = "1", .output = "2", .cached_input = 3};
  Policy policy;
  const auto price = [&](const PricingRule* stored, const std::string& model) {
    const auto found = domain::prices_in_force(stored, model, policy);
    return found ? found->price_per_1k_tokens.to_string() : "none";
  };
  CHECK(price(nullptr, "m") == "none");
  CHECK(price(&rule, "m") == "7");
  policy.default_prices["m"] = "0.5";
  CHECK(price(nullptr, "m") == "0.5");
  CHECK(price(nullptr, "n") == "none");
  CHECK(price(&rule, "m") == "7");
  policy.fallback_price = 9;
  CHECK(price(nullptr, "m") == "0.5");
  CHECK(price(nullptr, "n") == "9");
  CHECK(domain::prices_in_force(&rule, "m", policy) == domain::TokenPrices{7, "1", "2", "3"});
}

TEST_CASE("the original's policy") {
  const Policy policy = Policy::original();
  struct Row {
    std::string model;
    std::string price;
  };
  for (const auto& [model, price] :
       std::vector<Row>{{"anthropic.claude-3-sonnet-20240229-v1:0", "3"},
                        {"anthropic.claude-3-haiku-20240307-v1:0", "0.25"},
                        {"anthropic.claude-instant-v1", "0.8"},
                        {"amazon.titan-text-express-v1", "0.3"},
                        {"any other", "1"}}) {
    CAPTURE(model);
    const auto found = domain::prices_in_force(nullptr, model, policy);
    CHECK(found->price_per_1k_tokens.to_string() == price);
  }
  CHECK(policy.default_prices.size() == 4);
  CHECK(policy.buffer == 2'000);
  CHECK(policy.allocation_expiry_days == 30);
  CHECK(policy.refund == RefundPolicy::new_allocation);
  CHECK(policy.refund_expiry_days == 30);
  CHECK(policy.overage == OveragePolicy::absorb);
  CHECK(policy.session_ttl == std::chrono::hours(1));
}

}  // namespace accounting::testing
