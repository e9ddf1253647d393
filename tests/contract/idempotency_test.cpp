// Idempotency keys: unique per user over allocate, deduct, charge, record and extend. The same key
// with the same arguments as given answers what the first call did; with others, Conflict.
#include "support/books.hpp"

#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace accounting::testing {
namespace {

using Answer = std::variant<CreditAllocation, Deduction, Charge, UsageRecord, StreamingSession>;
using Key = std::optional<std::string>;

/// One of the calls that take a key, with one argument left open.
struct Operation {
  const char* name;
  std::function<Answer(Books&, const Key& key, std::int64_t amount)> call;
};

const std::vector<Operation>& operations() {
  static const std::vector<Operation> table = {
      {"allocate",
       [](Books& books, const Key& key, std::int64_t amount) -> Answer {
         return books.credits().allocate({.user_id = "ada",
                                          .credits = amount,
                                          .allocated_by = "admin",
                                          .idempotency_key = key});
       }},
      {"deduct",
       [](Books& books, const Key& key, std::int64_t amount) -> Answer {
         return books.credits().deduct(
             {.user_id = "ada", .credits = amount, .idempotency_key = key});
       }},
      {"charge",
       [](Books& books, const Key& key, std::int64_t amount) -> Answer {
         return books.credits().charge({.user_id = "ada",
                                        .service = "s",
                                        .operation = "o",
                                        .credits = amount,
                                        .idempotency_key = key});
       }},
      {"record",
       [](Books& books, const Key& key, std::int64_t amount) -> Answer {
         return books.usage().record({.user_id = "ada",
                                      .service = "s",
                                      .operation = "o",
                                      .credits = amount,
                                      .idempotency_key = key});
       }},
      {"extend",
       [](Books& books, const Key& key, std::int64_t amount) -> Answer {
         return books.sessions().extend({.session_id = "s",
                                         .user_id = "ada",
                                         .additional_tokens = amount * 1'000,
                                         .idempotency_key = key});
       }},
  };
  return table;
}

/// An account with 100 credits of its own and a session that holds 12.
void open_books(Books& books) {
  books.account("ada", 112);
  books.price("m", "1");
  books.sessions().initialize({"s", "ada", "m", 10'000});
}

/// Everything of the account that a second effect would change.
std::string effects(Books& books) {
  return std::to_string(books.entries("ada").size()) + " entries, " +
         std::to_string(books.usage_of("ada").size()) + " records, balance " +
         std::to_string(books.balance("ada")) + ", held " + std::to_string(books.held("ada"));
}

}  // namespace

TEST_SUITE("idempotency keys") {
  TEST_CASE("the same call again has no second effect and the first answer") {
    for (const auto& operation : operations()) {
      SUBCASE(operation.name) {
        for_each_database([&](Books& books) {
          open_books(books);
          const Answer first = operation.call(books, "k", 5);
          const std::string after = effects(books);
          CHECK(operation.call(books, "k", 5) == first);
          CHECK(effects(books) == after);
        });
      }
    }
  }

  TEST_CASE("the first answer comes also when clock and balance have moved on") {
    for (const auto& operation : operations()) {
      SUBCASE(operation.name) {
        for_each_database([&](Books& books) {
          open_books(books);
          const Answer first = operation.call(books, "k", 5);
          books.sessions().finalize({"s", "ada", 3'000});
          books.credits().revoke({.allocation_id = 1, .user_id = "ada", .revoked_by = "admin"});
          books.advance(days(45));
          const std::string after = effects(books);
          CHECK(operation.call(books, "k", 5) == first);
          CHECK(effects(books) == after);
        });
      }
    }
  }

  TEST_CASE("a key that was used for anything else is a Conflict, and stays what it was") {
    for (const auto& operation : operations()) {
      SUBCASE(operation.name) {
        for_each_database([&](Books& books) {
          open_books(books);
          const Answer first = operation.call(books, "k", 5);
          const std::string after = effects(books);
          for (const auto& other : operations()) {
            CAPTURE(other.name);
            CHECK(outcome_of([&] { other.call(books, "k", 6); }) == "conflict");
            if (other.name != operation.name) {
              CHECK(outcome_of([&] { other.call(books, "k", 5); }) == "conflict");
            }
          }
          CHECK(effects(books) == after);
          CHECK(operation.call(books, "k", 5) == first);
        });
      }
    }
  }

  TEST_CASE("without a key every call is a new one") {
    for (const auto& operation : operations()) {
      SUBCASE(operation.name) {
        for_each_database([&](Books& books) {
          open_books(books);
          operation.call(books, std::nullopt, 5);
          const std::string after = effects(books);
          operation.call(books, std::nullopt, 5);
          CHECK(effects(books) != after);
        });
      }
    }
  }

  TEST_CASE("a refused call leaves its key free") {
    for_each_database([](Books& books) {
      open_books(books);
      const std::string before = effects(books);
      CHECK_THROWS_AS(books.credits().deduct({"ada", 101, "k"}), InsufficientCredits);
      CHECK_THROWS_AS(books.credits().charge({"ada", "s", "o", 101, {}, "k"}), InsufficientCredits);
      CHECK_THROWS_AS(books.sessions().extend({"s", "ada", 100'000, "k"}), InsufficientCredits);
      CHECK_THROWS_AS(books.sessions().extend({"unknown", "ada", 1, "k"}), NotFound);
      CHECK_THROWS_AS(books.usage().record({"ada", "", "o", 1, {}, "k"}), InvalidArgument);
      CHECK_THROWS_AS(books.credits().deduct({"ada", 0, "k"}), InvalidArgument);
      CHECK(effects(books) == before);
      CHECK(books.credits().deduct({"ada", 1, "k"}).credits == 1);
    });
  }

  TEST_CASE("keys belong to the account: two accounts may use the same") {
    for_each_database([](Books& books) {
      books.account("ada", 10);
      books.account("bob", 10);
      books.credits().deduct({"ada", 1, "k"});
      books.credits().deduct({"bob", 2, "k"});
      CHECK(books.balance("ada") == 9);
      CHECK(books.balance("bob") == 8);
    });
  }

  TEST_CASE("keys are told apart byte by byte") {
    for_each_database([](Books& books) {
      books.account("ada", 100);
      const std::vector<std::string> keys = {"k",
                                             "K",
                                             "k ",
                                             " k",
                                             "k'",
                                             "Zo\xC3\xAB",
                                             "Zoe\xCC\x88",
                                             std::string(255, 'k'),
                                             std::string(254, 'k')};
      for (const auto& key : keys) {
        CAPTURE(key);
        const auto before = books.balance("ada");
        books.credits().deduct({"ada", 1, key});
        books.credits().deduct({"ada", 1, key});
        CHECK(books.balance("ada") == before - 1);
      }
    });
  }
}

TEST_SUITE("idempotency keys of many requests") {
  TEST_CASE("allocate_many and record_many again answer the same and change nothing") {
    for_each_database([](Books& books) {
      books.account("ada");
      books.account("bob");
      const std::vector<AllocateRequest> grants = {
          {.user_id = "ada", .credits = 1, .allocated_by = "x", .idempotency_key = "1"},
          {.user_id = "bob", .credits = 2, .allocated_by = "x", .idempotency_key = "1"},
          {.user_id = "ada", .credits = 3, .allocated_by = "x", .idempotency_key = "2"}};
      const std::vector<RecordRequest> records = {{.user_id = "ada",
                                                   .service = "s",
                                                   .operation = "o",
                                                   .credits = 1,
                                                   .idempotency_key = "3"},
                                                  {.user_id = "bob",
                                                   .service = "s",
                                                   .operation = "o",
                                                   .credits = 2,
                                                   .idempotency_key = "3"}};
      const auto first = books.credits().allocate_many(grants);
      CHECK(books.usage().record_many(records) == 2);
      books.advance(days(1));
      CHECK(books.credits().allocate_many(grants) == first);
      CHECK(books.usage().record_many(records) == 2);
      CHECK(books.balance("ada") == 4);
      CHECK(books.balance("bob") == 2);
      CHECK(books.usage_of("ada").size() == 1);
    });
  }

  TEST_CASE("one Conflict refuses all of an all-or-nothing call") {
    for_each_database([](Books& books) {
      books.account("ada", 10);
      books.credits().deduct({"ada", 1, "used"});
      CHECK(
          outcome_of([&] {
            books.credits().allocate_many(
                {{.user_id = "ada", .credits = 5, .allocated_by = "x", .idempotency_key = "new"},
                 {.user_id = "ada", .credits = 5, .allocated_by = "x", .idempotency_key = "used"}});
          }) == "conflict");
      CHECK(outcome_of([&] {
              books.usage().record_many(
                  {{"ada", "s", "o", 1, {}, "new"}, {"ada", "s", "o", 1, {}, "used"}});
            }) == "conflict");
      CHECK(books.balance("ada") == 9);
      CHECK(books.usage_of("ada").empty());
      books.credits().deduct({"ada", 1, "new"});
    });
  }

  TEST_CASE("a key twice in one call is a replay, or a Conflict of the second") {
    for_each_database([](Books& books) {
      books.account("ada", 10);
      const auto outcomes = books.credits().charge_many({{"ada", "s", "o", 3, {}, "k"},
                                                         {"ada", "s", "o", 3, {}, "k"},
                                                         {"ada", "s", "o", 4, {}, "k"}});
      REQUIRE(outcomes.size() == 3);
      CHECK(outcomes[0].value() == outcomes[1].value());
      CHECK(outcome_of([&] { return outcomes[2].value(); }) == "conflict");
      CHECK(books.balance("ada") == 7);
      CHECK(books.usage_of("ada").size() == 1);
    });
  }
}

}  // namespace accounting::testing
