// Policies: plain values that a host chooses; a session keeps the one that it began with.
#include "support/books.hpp"

#include <string>
#include <vector>

namespace accounting::testing {
namespace {

/// An account with 6 credits for a day and 14 for two, and a session that holds 12 of them.
void begin(Books& books) {
  books.account("ada");
  books.price("m", "1000");
  books.give("ada", 6, 1);
  books.give("ada", 14, 2);
  books.sessions().initialize({"s", "ada", "m", 10});
}

}  // namespace

TEST_SUITE("policies") {
  TEST_CASE("the defaults are those of the documentation") {
    const Policy policy;
    CHECK(policy.buffer == 2'000);
    CHECK(policy.allocation_expiry_days == 30);
    CHECK(policy.refund == RefundPolicy::to_source);
    CHECK(policy.overage == OveragePolicy::charge);
    CHECK(policy.default_prices.empty());
    CHECK_FALSE(policy.fallback_price.has_value());
    CHECK(policy.session_ttl == 1h);
  }

  TEST_CASE("Policy::original is the rules of the original service") {
    const Policy policy = Policy::original();
    CHECK(policy.buffer == 2'000);
    CHECK(policy.allocation_expiry_days == 30);
    CHECK(policy.refund == RefundPolicy::new_allocation);
    CHECK(policy.refund_expiry_days == 30);
    CHECK(policy.overage == OveragePolicy::absorb);
    CHECK(policy.fallback_price == Price("1"));
    CHECK(policy.session_ttl == 1h);
    CHECK(policy.default_prices == std::map<std::string, Price, std::less<>>{
                                       {"anthropic.claude-3-sonnet-20240229-v1:0", "3"},
                                       {"anthropic.claude-3-haiku-20240307-v1:0", "0.25"},
                                       {"anthropic.claude-instant-v1", "0.8"},
                                       {"amazon.titan-text-express-v1", "0.3"}});
  }

  TEST_CASE("new_allocation: what comes back is one new allocation by system") {
    struct Row {
      const char* end;
      const char* notes;
    };
    const std::vector<Row> rows = {
        {"completed", "Refund from streaming session s"},
        {"failed", "Refund from streaming session s"},
        {"aborted", "Partial refund from aborted streaming session s"},
    };
    for (const auto& [end, notes] : rows) {
      SUBCASE(end) {
        const Setup setup{
            .policy = {.refund = RefundPolicy::new_allocation, .refund_expiry_days = 45}};
        for_each_database(setup, [end = std::string(end), notes = notes](Books& books) {
          begin(books);
          books.advance(1h);
          const auto settlement =
              end == "aborted" ? books.sessions().abort({"s", "ada", 4})
                               : books.sessions().finalize({"s", "ada", 4, end == "completed"});
          CHECK(settlement.refund == 8);
          CHECK(books.credits().history({.user_id = "ada"}).total == 3);
          const auto refund = books.allocation("ada", 3);
          CHECK(refund == CreditAllocation{.id = 3,
                                           .user_id = "ada",
                                           .total_credits = 8,
                                           .remaining_credits = 8,
                                           .allocated_by = "system",
                                           .allocated_at = kStart + 1h,
                                           .effective_at = kStart + 1h,
                                           .expires_at = kStart + 1h + days(45),
                                           .notes = notes,
                                           .revoked_at = std::nullopt,
                                           .revoked_by = std::nullopt});
          // 4 were used; last taken comes back first, so they were paid by the first allocation.
          const auto first = books.allocation("ada", 1);
          CHECK(first.consumed_credits == 4);
          CHECK(first.moved_credits == 2);
          CHECK(first.remaining_credits == 0);
          const auto second = books.allocation("ada", 2);
          CHECK(second.consumed_credits == 0);
          CHECK(second.moved_credits == 6);
          CHECK(second.remaining_credits == 8);
          CHECK(books.balance("ada") == 16);
        });
      }
    }
  }

  TEST_CASE("new_allocation: where nothing comes back, nothing is allocated") {
    for_each_database({.policy = Policy::original()}, [](Books& books) {
      begin(books);
      CHECK(books.sessions().finalize({"s", "ada", 12}).refund == 0);
      CHECK(books.credits().history({.user_id = "ada"}).total == 2);
    });
  }

  TEST_CASE("new_allocation: credits that expired meanwhile live again") {
    for_each_database({.policy = Policy::original()}, [](Books& books) {
      begin(books);
      books.advance(days(5));
      CHECK(books.sessions().abort({"s", "ada"}).refund == 12);
      CHECK(books.balance("ada") == 12);
    });
  }

  TEST_CASE("new_allocation: an expired session's refund is one as well") {
    for_each_database({.policy = Policy::original()}, [](Books& books) {
      begin(books);
      books.sessions().report({"s", "ada", 5});
      books.advance(1h);
      REQUIRE(books.sessions().expire_stale().size() == 1);
      const auto refund = books.allocation("ada", 3);
      CHECK(refund.total_credits == 7);
      CHECK(refund.allocated_by == "system");
      CHECK(refund.notes == "Refund from streaming session s");
    });
  }

  TEST_CASE("charge or absorb: who pays for use beyond the hold") {
    struct Row {
      OveragePolicy policy;
      std::int64_t actual;
      std::int64_t overage;
      std::int64_t uncollected;
      std::int64_t collected;
      std::int64_t balance;
    };
    const std::vector<Row> rows = {
        {OveragePolicy::charge, 15, 3, 0, 15, 5},  {OveragePolicy::charge, 25, 13, 5, 20, 0},
        {OveragePolicy::absorb, 12, 0, 0, 12, 8},  {OveragePolicy::absorb, 15, 3, 0, 12, 8},
        {OveragePolicy::absorb, 25, 13, 0, 12, 8},
    };
    for (const auto& row : rows) {
      SUBCASE((std::to_string(static_cast<int>(row.policy)) + "/" + std::to_string(row.actual))
                  .c_str()) {
        for_each_database({.policy = {.overage = row.policy}}, [&](Books& books) {
          begin(books);
          const auto settlement = books.sessions().finalize({"s", "ada", row.actual});
          CHECK(settlement.actual_credits == row.actual);
          CHECK(settlement.refund == 0);
          CHECK(settlement.overage == row.overage);
          CHECK(settlement.uncollected == row.uncollected);
          CHECK(books.balance("ada") == row.balance);
          const auto usage = books.usage_of("ada");
          REQUIRE(usage.size() == 1);
          CHECK(usage[0].credits == row.actual);
          CHECK(usage[0].collected_credits == row.collected);
        });
      }
    }
  }

  TEST_CASE("a session keeps the policy that it began with") {
    for_each_database({.policy = {.buffer = 0}}, [](Books& books) {
      if (!books.can_open_again()) {
        return;
      }
      books.account("ada", 100);
      books.price("m", "1000");
      books.sessions().initialize({"s", "ada", "m", 10});
      auto original = books.open_again(Policy::original());
      original.sessions().initialize({"t", "ada", "m", 10});
      // Extended and ended by the other's policy: no buffer, charged from the balance.
      CHECK(original.sessions().extend({"s", "ada", 10}).allocated_credits == 20);
      const auto s = original.sessions().finalize({"s", "ada", 25});
      CHECK(s.overage == 5);
      CHECK(books.balance("ada") == 100 - 25 - 12);
      // And the other way round: the buffer stays, the refund is a new allocation, no overage.
      CHECK(books.sessions().extend({"t", "ada", 10}).allocated_credits == 24);
      CHECK(books.sessions().finalize({"t", "ada", 4}).refund == 20);
      CHECK(books.allocation("ada", 2).allocated_by == "system");
      CHECK(books.balance("ada") == 100 - 25 - 4);
    });
  }

  TEST_CASE("default prices and the fallback price hold for models without a rule") {
    const Setup setup{.policy = {.default_prices = {{"known", "0.5"}, {"ruled", "7"}},
                                 .fallback_price = Price("3")}};
    for_each_database(setup, [](Books& books) {
      books.account("ada", 1'000);
      books.price("ruled", "2");
      struct Row {
        const char* model;
        std::int64_t credits;
      };
      for (const auto& [model, credits] :
           std::vector<Row>{{"known", 5}, {"ruled", 20}, {"unknown", 30}}) {
        CAPTURE(model);
        CHECK(books.pricing().calculate({.model_id = model, .tokens = 10'000}) == credits);
        CHECK(books.sessions().initialize({model, "ada", model, 10'000}).estimated_credits ==
              credits);
        // `get` answers stored rules only.
        const std::string got =
            outcome_of([&] { return books.pricing().get({.model_id = model}); });
        CHECK(got == (std::string(model) == "ruled" ? "ok" : "price_not_found"));
      }
    });
  }
}

}  // namespace accounting::testing
