// Failures that another try gets past, injected by the database itself.
#include "support/books.hpp"
#include "support/injection.hpp"
#include "support/proxied_books.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

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

  TEST_CASE("of many that share a transaction each takes effect once, or says that it did not") {
    for_databases({Database::postgresql}, {}, [](Books& books) {
      constexpr int kAccounts = 4;
      constexpr int kEach = 5;
      std::vector<ChargeRequest> charges;
      for (int index = 0; index < kAccounts * kEach; ++index) {
        ChargeRequest charge = charge_of_ten;
        charge.user_id = "u" + std::to_string(index % kAccounts);
        charges.push_back(charge);
      }
      for (int account = 0; account < kAccounts; ++account) {
        books.account("u" + std::to_string(account), 1'000);
      }
      std::int64_t left = 1'000;
      const auto play = [&](std::int64_t times, const std::string& expected) {
        for (const char* state : {"40001", "40P01"}) {
          for (const Moment moment : {Moment::insert, Moment::commit}) {
            CAPTURE(state);
            CAPTURE(static_cast<int>(moment));
            const Injection injection(books.options().database, state, times, moment);
            for (const Outcome<Charge>& outcome : books.credits().charge_many(charges)) {
              CHECK(outcome_of([&] { return outcome.value(); }) == expected);
            }
            CHECK(injection.attempts() > std::min<std::int64_t>(times, kAccounts * kEach));
            left -= expected == "ok" ? 10 * kEach : 0;
            for (int account = 0; account < kAccounts; ++account) {
              CHECK(books.balance("u" + std::to_string(account)) == left);
            }
          }
        }
      };
      play(3, "ok");
      play(1'000'000, "store_error");
    });
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
