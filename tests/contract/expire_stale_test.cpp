// Sessions without a sign of life: expired by whoever asks, charged for what was last reported.
#include "support/books.hpp"

#include <string>
#include <vector>

namespace accounting::testing {
namespace {

void begin(Books& books, const std::string& user, const std::string& session) {
  books.sessions().initialize({session, user, "m", 10'000});
}

void open_books(Books& books) {
  books.price("m", "1");
  for (const char* user : {"ada", "bob"}) {
    books.account(user, 100);
  }
}

std::vector<std::string> ids_of(const std::vector<Settlement>& settlements) {
  std::vector<std::string> ids;
  for (const auto& settlement : settlements) {
    ids.push_back(settlement.user_id + "/" + settlement.session_id);
  }
  return ids;
}

}  // namespace

TEST_SUITE("expire_stale") {
  TEST_CASE("a session expires when its last sign of life is one session_ttl ago") {
    for_each_database([](Books& books) {
      open_books(books);
      begin(books, "ada", "s");
      books.advance(1h - 1us);
      CHECK(books.sessions().expire_stale().empty());
      CHECK(books.sessions().get({"s", "ada"}).status == SessionStatus::active);
      books.advance(1us);
      const auto expired = books.sessions().expire_stale();
      CHECK(expired == std::vector{Settlement{.user_id = "ada",
                                              .session_id = "s",
                                              .status = SessionStatus::expired,
                                              .estimated_credits = 10,
                                              .allocated_credits = 12,
                                              .actual_credits = 0,
                                              .refund = 12,
                                              .overage = 0,
                                              .uncollected = 0}});
      const auto session = books.sessions().get({"s", "ada"});
      CHECK(session.status == SessionStatus::expired);
      CHECK(session.completed_at == books.now());
      CHECK(books.balance("ada") == 100);
      CHECK(books.held("ada") == 0);
    });
  }

  TEST_CASE("it is charged for the tokens last reported, the rest comes back") {
    struct Row {
      std::int64_t reported;
      std::int64_t actual;
      std::int64_t refund;
      std::int64_t overage;
      std::int64_t uncollected;
      std::int64_t balance;
    };
    const std::vector<Row> rows = {
        {0, 0, 12, 0, 0, 100},     {1, 1, 11, 0, 0, 99},          {12'000, 12, 0, 0, 0, 88},
        {20'000, 20, 0, 8, 0, 80}, {150'000, 150, 0, 138, 50, 0},
    };
    for_each_database([&](Books& books) {
      open_books(books);
      for (const auto& row : rows) {
        CAPTURE(row.reported);
        const std::string user = "u" + std::to_string(row.reported);
        books.account(user, 100);
        begin(books, user, "s");
        books.sessions().report({"s", user, row.reported});
        books.sessions().report({"s", user, row.reported / 2});
        books.advance(1h);
        const auto expired = books.sessions().expire_stale();
        REQUIRE(expired.size() == 1);
        CHECK(expired[0].actual_credits == row.actual);
        CHECK(expired[0].refund == row.refund);
        CHECK(expired[0].overage == row.overage);
        CHECK(expired[0].uncollected == row.uncollected);
        CHECK(books.balance(user) == row.balance);
        const auto usage = books.usage_of(user);
        REQUIRE(usage.size() == 1);
        CHECK(usage[0].credits == row.actual);
        CHECK(usage[0].collected_credits == row.actual - row.uncollected);
      }
    });
  }

  TEST_CASE("initialize, report and extend are signs of life; looking and replaying are not") {
    struct Row {
      const char* what;
      void (*act)(Books&);
      bool alive;
    };
    const std::vector<Row> rows = {
        {"report",
         [](Books& b) {
           b.sessions().report({"s", "ada", 1});
         },
         true},
        {"extend",
         [](Books& b) {
           b.sessions().extend({"s", "ada", 1'000});
         },
         true},
        {"extend by nothing",
         [](Books& b) {
           b.sessions().extend({"s", "ada", 0});
         },
         true},
        {"get",
         [](Books& b) {
           static_cast<void>(b.sessions().get({"s", "ada"}));
         },
         false},
        {"initialize again", [](Books& b) { begin(b, "ada", "s"); }, false},
        {"a replayed extend",
         [](Books& b) {
           b.clock()->set(kStart);
           b.sessions().extend({"s", "ada", 1'000, "k"});
           b.clock()->set(kStart + 59min);
           b.sessions().extend({"s", "ada", 1'000, "k"});
         },
         false},
    };
    for (const auto& [what, act, alive] : rows) {
      SUBCASE(what) {
        for_each_database([act = act, alive = alive](Books& books) {
          open_books(books);
          begin(books, "ada", "s");
          books.advance(59min);
          act(books);
          books.advance(1min);
          CHECK(books.sessions().expire_stale().size() == (alive ? 0 : 1));
          books.clock()->set(kStart + 1h + 59min);
          CHECK(books.sessions().expire_stale().size() == (alive ? 1 : 0));
        });
      }
    }
  }

  TEST_CASE("until expire_stale comes, a stale session goes on as usual") {
    for_each_database([](Books& books) {
      open_books(books);
      for (const char* session : {"reported", "extended", "finalized", "aborted"}) {
        begin(books, "ada", session);
      }
      books.advance(days(2));
      CHECK(books.sessions().active("ada").size() == 4);
      books.sessions().report({"reported", "ada", 1});
      books.sessions().extend({"extended", "ada", 1});
      CHECK(books.sessions().finalize({"finalized", "ada", 4'000}).actual_credits == 4);
      books.sessions().abort({"aborted", "ada"});
      CHECK(books.sessions().expire_stale().empty());
      CHECK(books.sessions().active("ada").size() == 2);
    });
  }

  TEST_CASE("the oldest sign of life comes first, then the user, then the session") {
    for_each_database([](Books& books) {
      open_books(books);
      books.account("Zed", 100);
      begin(books, "bob", "a");
      begin(books, "ada", "b");
      begin(books, "ada", "a");
      begin(books, "ada", "B");
      begin(books, "Zed", "a");
      books.advance(1s);
      begin(books, "ada", "0");
      books.advance(1s);
      books.sessions().report({"a", "ada", 1});
      books.advance(2h);
      const std::vector<std::string> order = {"Zed/a", "ada/B", "ada/b", "bob/a", "ada/0", "ada/a"};
      const auto first = books.sessions().expire_stale({.limit = 2});
      CHECK(ids_of(first) == std::vector<std::string>{order.begin(), order.begin() + 2});
      CHECK(books.sessions().all_active().size() == 4);
      CHECK(ids_of(books.sessions().expire_stale()) ==
            std::vector<std::string>{order.begin() + 2, order.end()});
      CHECK(books.sessions().expire_stale().empty());
    });
  }

  TEST_CASE("each session lives by the policy that it began with") {
    const Setup minutes{.policy = {.session_ttl = 10min}};
    for_each_database(minutes, [](Books& books) {
      open_books(books);
      begin(books, "ada", "s");
      CHECK(books.sessions().get({"s", "ada"}).expires_at == kStart + 10min);
      if (books.can_open_again()) {
        auto others = books.open_again({.session_ttl = 5h});
        others.sessions().initialize({"t", "ada", "m", 10'000});
        books.advance(10min);
        CHECK(ids_of(others.sessions().expire_stale()) == std::vector<std::string>{"ada/s"});
        books.advance(4h);
        CHECK(books.sessions().expire_stale().empty());
        books.advance(1h);
        CHECK(ids_of(books.sessions().expire_stale()) == std::vector<std::string>{"ada/t"});
      }
    });
  }

  TEST_CASE("many sessions of one account expire in one call") {
    for_each_database([](Books& books) {
      open_books(books);
      for (int number = 0; number < 8; ++number) {
        begin(books, "ada", "s" + std::to_string(number));
      }
      CHECK(books.balance("ada") == 4);
      books.advance(1h);
      CHECK(books.sessions().expire_stale().size() == 8);
      CHECK(books.balance("ada") == 100);
      CHECK(books.usage_of("ada").size() == 8);
    });
  }
}

}  // namespace accounting::testing
