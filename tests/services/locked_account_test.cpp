// One account that cannot be had: the others are served, and nobody waits for it again and again.
#include "support/proxied_books.hpp"

#include <doctest/doctest.h>

#include <chrono>

namespace accounting::testing {
namespace {

using namespace std::chrono_literals;

/// The same books with little patience and a clock that tests move.
Accounting impatient(const ProxiedBooks& books, const std::shared_ptr<ManualClock>& clock) {
  return Accounting::open({.database = books.url(), .clock = clock, .lock_timeout = 200ms});
}

void add_account(Accounting& books, const std::string& user_id) {
  books.accounts().sync({.user_id = user_id, .email = "e@example.org", .username = user_id});
  books.credits().allocate(
      {.user_id = user_id, .credits = 1'000, .allocated_by = "admin", .never_expires = true});
}

}  // namespace

TEST_SUITE("a locked account") {
  TEST_CASE("expire_stale settles the others, and the locked one later") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks proxied(*url);
    const auto clock = std::make_shared<ManualClock>(SystemClock().now() + 1h);
    Accounting books = impatient(proxied, clock);
    for (const char* user_id : {"u1", "u2", "u3"}) {
      add_account(books, user_id);
      books.sessions().initialize(
          {.session_id = "s", .user_id = user_id, .model_id = "m", .estimated_tokens = 10});
      clock->advance(1s);
    }
    clock->advance(2h);
    {
      const Transaction holder = proxied.direct.transaction({"u2"});
      const std::vector<Settlement> settled = books.sessions().expire_stale();
      REQUIRE(settled.size() == 2);
      CHECK(settled[0].user_id == "u1");
      CHECK(settled[1].user_id == "u3");
      CHECK_THROWS_AS(books.sessions().expire_stale(), StoreError);
    }
    CHECK(books.sessions().expire_stale().size() == 1);
    CHECK(books.verify().ok);
  }

  TEST_CASE("charge_many waits for it once") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks proxied(*url);
    Accounting books = impatient(proxied, std::make_shared<ManualClock>(SystemClock().now()));
    const std::vector<ChargeRequest> charges(
        50, {.user_id = "ada", .service = "chat", .operation = "m", .credits = 1});
    {
      const Transaction holder = proxied.direct.transaction({"ada"});
      const auto began = std::chrono::steady_clock::now();
      for (const Outcome<Charge>& outcome : books.credits().charge_many(charges)) {
        CHECK_THROWS_AS(static_cast<void>(outcome.value()), StoreError);
      }
      // Each request by itself would have waited 50 times as long.
      CHECK(std::chrono::steady_clock::now() - began < 5s);
    }
    CHECK(books.credits().balance("ada").total_credits == 1'000);
    CHECK(books.verify().ok);
  }
}

}  // namespace accounting::testing
