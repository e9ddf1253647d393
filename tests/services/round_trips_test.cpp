// What a call costs on the wire, counted between the library and the server.
#include "support/proxied_books.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <vector>

namespace accounting::testing {
namespace {

struct Case {
  const char* call;
  std::int64_t round_trips;
  std::function<void(Accounting&, int)> run;
};

std::string session_name(int run) { return "s-" + std::to_string(run); }

const std::vector<Case> cases = {
    {"allocate", 2,
     [](Accounting& books, int) {
       books.credits().allocate({.user_id = "ada", .credits = 5, .allocated_by = "admin"});
     }},
    {"deduct", 2,
     [](Accounting& books, int) { books.credits().deduct({.user_id = "ada", .credits = 1}); }},
    // The account is as this process left it: from here on nothing has to be looked up.
    {"charge", 1,
     [](Accounting& books, int run) {
       books.credits().charge({.user_id = "ada",
                               .service = "chat",
                               .operation = "m",
                               .credits = 1,
                               .idempotency_key = "k-" + std::to_string(run)});
     }},
    {"record", 1,
     [](Accounting& books, int) {
       books.usage().record({.user_id = "ada", .service = "chat", .operation = "m", .credits = 1});
     }},
    {"initialize", 1,
     [](Accounting& books, int run) {
       books.sessions().initialize({.session_id = session_name(run),
                                    .user_id = "ada",
                                    .model_id = "m",
                                    .estimated_tokens = 5});
     }},
    {"report", 1,
     [](Accounting& books, int run) {
       books.sessions().report(
           {.session_id = session_name(run), .user_id = "ada", .tokens_so_far = 1});
     }},
    {"extend", 1,
     [](Accounting& books, int run) {
       books.sessions().extend(
           {.session_id = session_name(run), .user_id = "ada", .additional_tokens = 5});
     }},
    {"finalize", 1,
     [](Accounting& books, int run) {
       books.sessions().finalize(
           {.session_id = session_name(run), .user_id = "ada", .actual_tokens = 3});
     }},
    {"finalize again", 2,  // the second gives the locks back
     [](Accounting& books, int run) {
       books.sessions().finalize(
           {.session_id = session_name(run), .user_id = "ada", .actual_tokens = 3});
     }},
    {"initialize and abort", 2,
     [](Accounting& books, int run) {
       const std::string name = "a-" + std::to_string(run);
       books.sessions().initialize(
           {.session_id = name, .user_id = "ada", .model_id = "m", .estimated_tokens = 5});
       books.sessions().abort({.session_id = name, .user_id = "ada"});
     }},
    {"revoke", 2,
     [](Accounting& books, int run) {
       books.credits().revoke({.allocation_id = 2 + run, .user_id = "ada", .revoked_by = "admin"});
     }},
    {"sync of a known account", 2,
     [](Accounting& books, int) {
       books.accounts().sync({.user_id = "ada", .email = "ada@example.org", .username = "Ada"});
     }},
    {"set a price", 3,
     [](Accounting& books, int run) {
       books.pricing().set({.model_id = "p",
                            .price_per_1k_tokens = run + 1,
                            .created_by = "admin",
                            .effective_from = Timestamp(std::chrono::seconds(1 + run))});
     }},
    {"balance", 1,
     [](Accounting& books, int) { static_cast<void>(books.credits().balance("ada")); }},
    {"user_stats", 1,
     [](Accounting& books, int) {
       static_cast<void>(books.usage().user_stats({.user_id = "ada"}));
     }},
};

}  // namespace

TEST_SUITE("round trips") {
  TEST_CASE("a money operation costs two at most, a query one") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    // The first run connects and prepares; the second is like every later one.
    for (int run = 0; run < 2; ++run) {
      for (const Case& each : cases) {
        CAPTURE(each.call);
        const std::int64_t before = books.proxy().round_trips();
        each.run(books.proxied, run);
        if (run > 0) {
          CHECK(books.proxy().round_trips() - before == each.round_trips);
        }
      }
    }
    CHECK(books.direct.verify().ok);
  }

  TEST_CASE("whoever shares an account with another process pays two, after one try in vain") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    const auto cost_of_charge = [&] {
      const std::int64_t before = books.proxy().round_trips();
      books.proxied.credits().charge({"ada", "chat", "m", 1});
      return books.proxy().round_trips() - before;
    };
    cost_of_charge();
    cost_of_charge();
    CHECK(cost_of_charge() == 1);
    const auto others_charge = [&] { books.direct.credits().charge({"ada", "chat", "m", 1}); };
    others_charge();
    CHECK(cost_of_charge() == 4);  // the second gives the locks back
    others_charge();
    CHECK(cost_of_charge() == 2);
    others_charge();
    CHECK(cost_of_charge() == 2);
    CHECK(cost_of_charge() == 2);
    CHECK(cost_of_charge() == 1);  // nobody was there in between
    CHECK(books.direct.verify().ok);
  }

  TEST_CASE("whoever shares a session with another process pays two, after one try in vain") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    std::int64_t tokens = 0;
    const auto cost_of_report = [&] {
      const std::int64_t before = books.proxy().round_trips();
      books.proxied.sessions().report({"s", "ada", ++tokens});
      return books.proxy().round_trips() - before;
    };
    const auto others_report = [&] { books.direct.sessions().report({"s", "ada", ++tokens}); };
    books.proxied.sessions().initialize({"s", "ada", "m", 100});
    cost_of_report();
    CHECK(cost_of_report() == 1);
    others_report();
    CHECK(cost_of_report() == 4);
    others_report();
    CHECK(cost_of_report() == 2);
    others_report();
    CHECK(cost_of_report() == 2);
    CHECK(cost_of_report() == 2);
    CHECK(cost_of_report() == 1);
    CHECK(books.direct.verify().ok);
  }

  TEST_CASE("one session's calls leave the others of the account remembered") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    const auto report = [&](const std::string& session_id, std::int64_t tokens) {
      const std::int64_t before = books.proxy().round_trips();
      books.proxied.sessions().report({session_id, "ada", tokens});
      return books.proxy().round_trips() - before;
    };
    for (const char* session_id : {"s", "t"}) {
      books.proxied.sessions().initialize({session_id, "ada", "m", 100});
    }
    for (std::int64_t run = 1; run <= 3; ++run) {
      CHECK(report("s", run) == 1);
      CHECK(report("t", run) == 1);
      // A price that is not known yet is looked up, with the account.
      const std::string model = "p" + std::to_string(run);
      books.direct.pricing().set(
          {.model_id = model, .price_per_1k_tokens = 1'000, .created_by = "admin"});
      books.proxied.sessions().initialize({model, "ada", model, 10});
    }
  }

  TEST_CASE("a third is paid only where the first look was too short") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    ProxiedBooks books(*url);
    const std::vector<AllocateRequest> small(
        1'000, {.user_id = "ada", .credits = 1, .allocated_by = "admin", .expiry_days = 1});
    books.direct.credits().allocate_many(small);
    const auto cost_of = [&](std::int64_t credits) {
      const std::int64_t before = books.proxy().round_trips();
      const Deduction deduction =
          books.proxied.credits().deduct({.user_id = "ada", .credits = credits});
      CHECK(deduction.credits == credits);
      return books.proxy().round_trips() - before;
    };
    cost_of(1);
    CHECK(cost_of(32) == 2);
    CHECK(cost_of(33) == 3);
    CHECK(cost_of(64) == 3);
    CHECK(books.direct.verify().ok);
  }
}

}  // namespace accounting::testing
