// Failures that another try gets past, injected by the database itself.
#include "support/injection.hpp"
#include "support/proxied_books.hpp"

#include <doctest/doctest.h>

namespace accounting::testing {
namespace {

const ChargeRequest charge_of_ten{
    .user_id = "ada", .service = "chat", .operation = "m", .credits = 10};

std::int64_t balance(ProxiedBooks& books) {
  return books.direct.credits().balance("ada").total_credits;
}

}  // namespace

TEST_SUITE("transient failures") {
  TEST_CASE("40001 and 40P01 are tried again, and take effect once") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    std::int64_t expected = 1'000;
    for (const char* state : {"40001", "40P01"}) {
      CAPTURE(state);
      const Injection injection(books.url(), state, 3);
      books.proxied.credits().charge(charge_of_ten);
      expected -= 10;
      CHECK(balance(books) == expected);
      CHECK(injection.attempts() == 4);
    }
    CHECK(books.direct.verify().ok);
  }

  TEST_CASE("a database that never has enough gives a retryable error, and nothing is changed") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    const Injection injection(books.url(), "40001", 1'000'000);
    try {
      books.proxied.credits().charge(charge_of_ten);
      FAIL("the charge cannot have been made");
    } catch (const StoreError& error) {
      CHECK(error.code() == ErrorCode::store_error);
      CHECK(error.retryable());
    }
    CHECK(injection.attempts() == Options{}.max_attempts);
    CHECK(balance(books) == 1'000);
    CHECK(books.direct.verify().ok);
  }

  TEST_CASE("transact runs its work again from the start") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    const Injection injection(books.url(), "40001", 2);
    int runs = 0;
    const Charge charge = books.proxied.transact([&](Transaction& transaction) {
      ++runs;
      transaction.credits().deduct({.user_id = "ada", .credits = 5});
      return transaction.credits().charge(charge_of_ten);
    });
    CHECK(runs == 3);
    CHECK(charge.usage_record.id == 1);
    CHECK(balance(books) == 985);
    CHECK(books.direct.verify().ok);
  }

  TEST_CASE("a backend that was shot between calls is replaced without a word") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    for (int round = 0; round < 3; ++round) {
      books.proxied.credits().charge(charge_of_ten);
      CHECK(books.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                      "WHERE application_name = '" +
                      books.application_name() + "'") == "1");
      books.proxied.credits().charge(charge_of_ten);
    }
    CHECK(balance(books) == 940);
    CHECK(books.direct.verify().ok);
  }
}

}  // namespace accounting::testing
