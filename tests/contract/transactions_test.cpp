// Transactions: the same services, all of it or nothing of it.
#include "support/books.hpp"

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

void open_books(Books& books) {
  books.account("ada", 100);
  books.account("bob", 100);
  books.price("m", "1000");
}

/// Moves credits from one account to another, which one call cannot.
void transfer(Transaction& transaction, const std::string& from, const std::string& to,
              std::int64_t credits) {
  transaction.credits().deduct({.user_id = from, .credits = credits});
  transaction.credits().allocate({.user_id = to, .credits = credits, .allocated_by = from});
}

}  // namespace

TEST_SUITE("transact") {
  TEST_CASE("what is done in it takes effect together, and its answer comes back") {
    for_each_database([](Books& books) {
      open_books(books);
      const std::int64_t answer = books.accounting().transact(
          [](Transaction& transaction) {
            transfer(transaction, "ada", "bob", 30);
            return transaction.credits().balance("bob").total_credits;
          },
          {"ada", "bob"});
      CHECK(answer == 130);
      CHECK(books.balance("ada") == 70);
      CHECK(books.balance("bob") == 130);
    });
  }

  TEST_CASE("work that answers nothing, and users that are not named, are fine as well") {
    for_each_database([](Books& books) {
      open_books(books);
      books.accounting().transact([](Transaction& t) { transfer(t, "ada", "bob", 1); });
      CHECK(books.balance("bob") == 101);
      books.accounting().transact([](Transaction&) {}, {"bob", "ada", "bob"});
    });
  }

  TEST_CASE("every service is there and sees what was done before it") {
    for_each_database([](Books& books) {
      books.accounting().transact([](Transaction& t) {
        t.accounts().sync({.user_id = "eve", .email = "e", .username = "Eve"});
        CHECK(t.accounts().get("eve").username == "Eve");
        CHECK(t.accounts().list().total == 1);
        t.credits().allocate({.user_id = "eve", .credits = 100, .allocated_by = "x"});
        t.pricing().set({.model_id = "m", .price_per_1k_tokens = "1000", .created_by = "x"});
        CHECK(t.pricing().calculate({.model_id = "m", .tokens = 3}) == 3);
        t.sessions().initialize({"s", "eve", "m", 10});
        CHECK(t.credits().balance("eve").held_credits == 12);
        t.sessions().report({"s", "eve", 4});
        t.sessions().extend({"s", "eve", 10, "k"});
        CHECK(t.sessions().active("eve").size() == 1);
        t.sessions().finalize({"s", "eve", 20});
        t.credits().charge({"eve", "chat", "m", 5});
        t.usage().record({"eve", "images", "draw", 7});
        CHECK(t.credits().balance("eve").total_credits == 75);
        CHECK(t.credits().check({"eve", 75}));
        CHECK(t.usage().list({"eve"}).size() == 3);
        CHECK(t.usage().user_stats({"eve"}).total_credits == 32);
        CHECK(t.usage().system_stats().by_user == CreditsByName{{"eve", 32}});
        t.credits().revoke({1, "eve", "x"});
        CHECK(t.credits().entries({"eve"}).back().kind == EntryKind::revoke);
        CHECK(t.credits().history({"eve"}).total == 1);
      });
      CHECK(books.balance("eve") == 0);
      CHECK(books.usage_of("eve").size() == 3);
    });
  }

  TEST_CASE("what the work throws undoes everything and reaches the caller") {
    for_each_database([](Books& books) {
      open_books(books);
      const auto entries = books.entries("ada");
      CHECK_THROWS_WITH_AS(books.accounting().transact([](Transaction& t) {
        transfer(t, "ada", "bob", 30);
        t.credits().charge({"ada", "chat", "m", 5, {}, "k"});
        t.sessions().initialize({"s", "ada", "m", 10});
        throw std::runtime_error("changed my mind");
      }),
                           "changed my mind", std::runtime_error);
      CHECK(books.entries("ada") == entries);
      CHECK(books.balance("bob") == 100);
      CHECK(books.usage().system_stats() == SystemStats{});
      // Key and session id are free.
      CHECK(outcome_of([&] { books.credits().deduct({"ada", 1, "k"}); }) == "ok");
      CHECK(outcome_of([&] { books.sessions().initialize({"s", "ada", "m", 1}); }) == "ok");
    });
  }

  TEST_CASE("a refusal that the work handles leaves the rest in place") {
    for_each_database([](Books& books) {
      open_books(books);
      books.accounting().transact([](Transaction& t) {
        t.credits().deduct({"ada", 10});
        CHECK(outcome_of([&] {
                t.credits().deduct({"ada", 1'000});
              }) == "insufficient_credits(required 1000, available 90)");
        CHECK(outcome_of([&] { t.credits().deduct({"nobody", 1}); }) == "not_found");
        CHECK(outcome_of([&] { t.credits().deduct({"ada", 0}); }) == "invalid_argument(credits)");
        CHECK(outcome_of([&] {
                t.sessions().initialize({"s", "ada", "unpriced", 1});
              }) == "price_not_found");
        t.credits().deduct({"ada", 20});
      });
      CHECK(books.balance("ada") == 70);
    });
  }

  TEST_CASE("many requests in a transaction keep their rules") {
    for_each_database([](Books& books) {
      open_books(books);
      books.accounting().transact([](Transaction& t) {
        const auto outcomes =
            t.credits().charge_many({{"ada", "s", "o", 60}, {"ada", "s", "o", 60}});
        CHECK(outcomes.at(0).ok());
        CHECK_FALSE(outcomes.at(1).ok());
        CHECK(outcome_of([&] {
                t.usage().record_many({{"ada", "s", "o", 1}, {"nobody", "s", "o", 1}});
              }) == "not_found");
        CHECK(t.usage().record_many({{"bob", "s", "o", 1}, {"bob", "s", "o", 2}}) == 2);
      });
      CHECK(books.balance("ada") == 40);
      CHECK(books.usage_of("ada").size() == 1);
      CHECK(books.usage_of("bob").size() == 2);
    });
  }

  TEST_CASE("work may take the transaction over, and end it") {
    for_each_database([](Books& books) {
      open_books(books);
      const std::int64_t before = books.balance("ada");
      const auto deduct_in = [](Transaction& transaction) {
        transaction.credits().deduct({"ada", 10});
        return std::move(transaction);
      };
      books.accounting().transact([&](Transaction& t) { deduct_in(t).commit(); });
      CHECK(books.balance("ada") == before - 10);
      books.accounting().transact([&](Transaction& t) { deduct_in(t).rollback(); });
      books.accounting().transact([&](Transaction& t) { const auto dropped = deduct_in(t); });
      CHECK(books.balance("ada") == before - 10);
      std::optional<Transaction> kept;
      books.accounting().transact([&](Transaction& t) { kept.emplace(deduct_in(t)); });
      CHECK(books.balance("ada") == before - 20);
      CHECK(outcome_of([&] {
              kept->commit();
              return 0;
            }) == "conflict");
    });
  }

  TEST_CASE("users that are named must be accounts, and their names valid") {
    for_each_database([](Books& books) {
      open_books(books);
      int runs = 0;
      const auto with = [&](const std::vector<std::string>& users) {
        return outcome_of(
            [&] { books.accounting().transact([&](Transaction&) { ++runs; }, users); });
      };
      CHECK(with({"ada", "nobody"}) == "not_found");
      CHECK(with({"ada", ""}).starts_with("invalid_argument"));
      CHECK(runs == 0);
    });
  }

  TEST_CASE("the clock stands still within a transaction") {
    for_each_database([](Books& books) {
      open_books(books);
      books.accounting().transact([&](Transaction& t) {
        const auto first = t.usage().record({"ada", "s", "o", 1}).timestamp;
        books.advance(1h);
        CHECK(t.usage().record({"ada", "s", "o", 1}).timestamp == first);
      });
    });
  }

  TEST_CASE("a session expires in a transaction as it does alone") {
    for_each_database([](Books& books) {
      open_books(books);
      books.sessions().initialize({"s", "ada", "m", 10});
      books.advance(1h);
      auto transaction = books.accounting().transaction();
      CHECK(transaction.sessions().expire_stale().size() == 1);
      transaction.rollback();
      CHECK(books.sessions().get({"s", "ada"}).status == SessionStatus::active);
      books.accounting().transact([](Transaction& t) {
        CHECK(t.sessions().expire_stale().size() == 1);
        CHECK(t.sessions().expire_stale().empty());
        CHECK(t.sessions().all_active().empty());
      });
      CHECK(books.sessions().get({"s", "ada"}).status == SessionStatus::expired);
    });
  }
}

TEST_SUITE("transaction") {
  TEST_CASE("takes effect at commit, and not before") {
    for_each_database([](Books& books) {
      open_books(books);
      auto transaction = books.accounting().transaction({"ada"});
      transaction.credits().deduct({"ada", 10});
      if (books.on_postgresql()) {
        CHECK(books.open_again().credits().balance("ada").total_credits == 100);
      }
      transaction.commit();
      CHECK(books.balance("ada") == 90);
      // Harmless after commit.
      transaction.rollback();
      CHECK(books.balance("ada") == 90);
    });
  }

  TEST_CASE("is undone by rollback, and where it is left without commit") {
    for_each_database([](Books& books) {
      open_books(books);
      {
        auto transaction = books.accounting().transaction({"ada"});
        transaction.credits().deduct({"ada", 10});
        transaction.rollback();
      }
      CHECK(books.balance("ada") == 100);
      {
        auto transaction = books.accounting().transaction();
        transaction.credits().deduct({"ada", 10});
      }
      CHECK(books.balance("ada") == 100);
      {
        auto first = books.accounting().transaction();
        first.credits().deduct({"ada", 10});
        auto moved = std::move(first);
        moved.credits().deduct({"ada", 10});
        moved.commit();
      }
      CHECK(books.balance("ada") == 80);
    });
  }

  TEST_CASE("its users must be accounts") {
    for_each_database([](Books& books) {
      open_books(books);
      CHECK(outcome_of([&] { return books.accounting().transaction({"nobody"}); }) == "not_found");
      CHECK(outcome_of([&] { books.credits().deduct({"ada", 1}); }) == "ok");
    });
  }

  TEST_CASE("keys replay within and across transactions") {
    for_each_database([](Books& books) {
      open_books(books);
      const DeductRequest request{"ada", 10, "k"};
      books.accounting().transact([&](Transaction& t) {
        const auto first = t.credits().deduct(request);
        CHECK(t.credits().deduct(request) == first);
      });
      books.accounting().transact(
          [&](Transaction& t) { CHECK(t.credits().deduct(request).credits == 10); });
      books.credits().deduct(request);
      CHECK(books.balance("ada") == 90);
    });
  }
}

}  // namespace accounting::testing
