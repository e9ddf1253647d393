// Objects that were moved from: a typed error instead of a crash.
#include "support/books.hpp"

#include <utility>

namespace accounting::testing {

TEST_CASE("books and transactions that were moved from say so") {
  Accounting books = Accounting::open({.database = "sqlite://"});
  books.accounts().sync({.user_id = "ada", .email = "ada@example.org", .username = "ada"});
  Transaction transaction = books.transaction({"ada"});
  Transaction kept = std::move(transaction);
  // NOLINTBEGIN(bugprone-use-after-move): that is what is tested
  CHECK(outcome_of([&] { return transaction.accounts(); }) == "conflict");
  CHECK(outcome_of([&] { return transaction.credits(); }) == "conflict");
  CHECK(outcome_of([&] { return transaction.sessions(); }) == "conflict");
  CHECK(outcome_of([&] { return transaction.usage(); }) == "conflict");
  CHECK(outcome_of([&] { return transaction.pricing(); }) == "conflict");
  CHECK(outcome_of([&] { return transaction.api_keys(); }) == "conflict");
  CHECK(outcome_of([&] { return transaction.commit(), 0; }) == "conflict");
  transaction.rollback();
  kept.credits().allocate({.user_id = "ada", .credits = 5, .allocated_by = "admin"});
  kept.commit();

  Accounting moved_to = std::move(books);
  CHECK(moved_to.credits().balance("ada").total_credits == 5);
  CHECK(outcome_of([&] { return books.accounts(); }) == "conflict");
  CHECK(outcome_of([&] { return books.credits(); }) == "conflict");
  CHECK(outcome_of([&] { return books.sessions(); }) == "conflict");
  CHECK(outcome_of([&] { return books.usage(); }) == "conflict");
  CHECK(outcome_of([&] { return books.pricing(); }) == "conflict");
  CHECK(outcome_of([&] { return books.api_keys(); }) == "conflict");
  CHECK(outcome_of([&] { return books.audit(); }) == "conflict");
  CHECK(outcome_of([&] { return books.transaction({"ada"}); }) == "conflict");
  CHECK(outcome_of([&] { return books.transact([](Transaction&) {}), 0; }) == "conflict");
  CHECK(outcome_of([&] { return books.migrate(); }) == "conflict");
  CHECK(outcome_of([&] { return books.schema_version(); }) == "conflict");
  CHECK(outcome_of([&] { return books.verify(); }) == "conflict");
  CHECK(outcome_of([&] { return books.health(); }) == "conflict");
  books.close();
  // NOLINTEND(bugprone-use-after-move)
}

}  // namespace accounting::testing
