// The connection breaks while a commit is under way: what takes effect, how often, and what the
// caller is told.
#include "support/proxied_books.hpp"

#include <doctest/doctest.h>

namespace accounting::testing {
namespace {

ChargeRequest charge_of_ten(std::optional<std::string> key = std::nullopt) {
  return {.user_id = "ada",
          .service = "chat",
          .operation = "m",
          .credits = 10,
          .idempotency_key = std::move(key)};
}

std::int64_t balance(ProxiedBooks& books) {
  return books.direct.credits().balance("ada").total_credits;
}

}  // namespace

TEST_SUITE("broken commit") {
  TEST_CASE("with a key the call is carried out once, and answered") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    std::int64_t expected = 1'000;
    int turn = 0;
    for (const AtCommit fault : {AtCommit::drop, AtCommit::drop_answer, AtCommit::cut_answer}) {
      CAPTURE(static_cast<int>(fault));
      const std::string key = "k-" + std::to_string(++turn);
      books.proxy().at_next_commit(fault);
      const Charge charge = books.proxied.credits().charge(charge_of_ten(key));
      CHECK(books.proxy().faults() == turn);
      expected -= 10;
      CHECK(balance(books) == expected);
      CHECK(charge == books.direct.credits().charge(charge_of_ten(key)));
      CHECK(balance(books) == expected);
    }
    CHECK(books.direct.verify().ok);
  }

  TEST_CASE("without a key the outcome is unknown, and the call is not made twice") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    struct Row {
      AtCommit fault;
      std::int64_t balance_after;
    };
    for (const auto& [fault, balance_after] :
         {Row{AtCommit::drop, 1'000}, Row{AtCommit::drop_answer, 990}}) {
      books.proxy().at_next_commit(fault);
      try {
        books.proxied.credits().charge(charge_of_ten());
        FAIL("the call claims to know its outcome");
      } catch (const OutcomeUnknown& error) {
        CHECK_FALSE(error.retryable());
      }
      CHECK(balance(books) == balance_after);
    }
    CHECK(books.direct.verify().ok);
  }

  TEST_CASE("with a key and a server that stays away the caller may repeat the call") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    books.proxy().at_commit(AtCommit::drop_answer);
    try {
      books.proxied.credits().charge(charge_of_ten("k"));
    } catch (const OutcomeUnknown& error) {
      CHECK(error.retryable());
    }
    books.proxy().at_commit(AtCommit::pass);
    books.proxied.credits().charge(charge_of_ten("k"));
    CHECK(balance(books) == 990);
    CHECK(books.direct.verify().ok);
  }

  TEST_CASE("whatever ends a later try says nothing of the one that may have taken effect") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    int failed = 0;
    const Accounting proxied =
        Accounting::open({.database = books.proxy().url(), .log = [&](LogLevel, std::string_view) {
                            if (++failed == 1) {
                              books.sql("ALTER TABLE idempotency_keys RENAME TO gone");
                            }
                          }});
    static_cast<void>(proxied.credits().balance("ada"));
    REQUIRE(failed == 0);
    books.proxy().at_next_commit(AtCommit::drop_answer);
    try {
      proxied.credits().charge(charge_of_ten("k"));
      FAIL("the call was answered");
    } catch (const OutcomeUnknown& error) {
      CHECK(error.retryable());
    }
    CHECK(failed > 0);
    CHECK(balance(books) == 990);
    books.sql("ALTER TABLE gone RENAME TO idempotency_keys");
    proxied.credits().charge(charge_of_ten("k"));
    CHECK(balance(books) == 990);
    CHECK(books.direct.verify().ok);
  }

  TEST_CASE("a price that another has forestalled is refused, since it would be found otherwise") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    const auto price_from = [](std::int64_t hour) {
      return SetPriceRequest{.model_id = "new",
                             .price_per_1k_tokens = Price("2"),
                             .created_by = "admin",
                             .effective_from = Timestamp(std::chrono::hours(hour))};
    };
    for (const AtCommit fault : {AtCommit::drop, AtCommit::drop_answer}) {
      CAPTURE(static_cast<int>(fault));
      const std::int64_t hour = fault == AtCommit::drop ? 1'000 : 3'000;
      int failed = 0;
      Accounting proxied = Accounting::open(
          {.database = books.proxy().url(), .log = [&](LogLevel, std::string_view) {
             // Between the try whose COMMIT was lost and the next.
             if (++failed == 1) {
               books.direct.pricing().set(price_from(hour + 1'000));
             }
           }});
      static_cast<void>(proxied.pricing().list({}));
      REQUIRE(failed == 0);
      books.proxy().at_next_commit(fault);
      if (fault == AtCommit::drop) {
        CHECK_THROWS_AS(proxied.pricing().set(price_from(hour)), Conflict);
      } else {
        CHECK(proxied.pricing().set(price_from(hour)).effective_to ==
              price_from(hour + 1'000).effective_from);
      }
      CHECK(failed == 1);
    }
    CHECK(books.direct.pricing().list({.model_id = "new"}).size() == 3);
    CHECK(books.direct.verify().ok);
  }

  TEST_CASE("session calls replay") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    Sessions sessions = books.proxied.sessions();
    books.proxy().at_next_commit(AtCommit::drop_answer);
    const StreamingSession session = sessions.initialize(
        {.session_id = "s", .user_id = "ada", .model_id = "m", .estimated_tokens = 100});
    CHECK(session.allocated_credits == 120);
    CHECK(balance(books) == 880);
    books.proxy().at_next_commit(AtCommit::drop_answer);
    sessions.report({.session_id = "s", .user_id = "ada", .tokens_so_far = 10});
    books.proxy().at_next_commit(AtCommit::drop_answer);
    const Settlement settlement =
        sessions.finalize({.session_id = "s", .user_id = "ada", .actual_tokens = 50});
    CHECK(settlement.refund == 70);
    CHECK(balance(books) == 950);
    CHECK(books.proxy().faults() == 3);
    CHECK(books.direct.verify().ok);
  }

  TEST_CASE("a transaction is not run again, since its work may not replay") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    int runs = 0;
    books.proxy().at_next_commit(AtCommit::drop_answer);
    CHECK_THROWS_AS(books.proxied.transact([&](Transaction& transaction) {
      ++runs;
      transaction.credits().deduct({.user_id = "ada", .credits = 10});
    }),
                    OutcomeUnknown);
    CHECK(runs == 1);
    CHECK(balance(books) == 990);
    CHECK(books.direct.verify().ok);
  }
}

}  // namespace accounting::testing
