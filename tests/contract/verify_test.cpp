// verify: proves that the books balance, and finds what was changed behind the library's back.
#include "support/books.hpp"

#include <string>
#include <vector>

namespace accounting::testing {
namespace {

/// One of everything, so that every invariant has something to judge.
void open_books(Books& books) {
  books.account("ada");
  books.price("m", "1000");
  books.give("ada", 50, 5);
  books.give("ada", 50, 9);
  books.credits().deduct({"ada", 5, "deduct"});
  books.credits().charge({"ada", "chat", "m", 5});
  books.sessions().initialize({"active", "ada", "m", 10});
  books.sessions().initialize({"ended", "ada", "m", 10});
  books.sessions().finalize({"ended", "ada", 7});
  books.sessions().initialize({"over", "ada", "m", 1});
  books.sessions().finalize({"over", "ada", 5});
}

}  // namespace

TEST_SUITE("verify") {
  TEST_CASE("sound books have no problems, and everything was looked at") {
    for_each_database([](Books& books) {
      CHECK(books.accounting().verify() == VerifyReport{});
      open_books(books);
      books.account("bob");
      const VerifyReport report = books.accounting().verify();
      CHECK(report.ok);
      CHECK(report.problems.empty());
      CHECK(report.accounts == 2);
      CHECK(report.allocations == 2);
      CHECK(report.sessions == 3);
      CHECK(report.usage_records == 3);
      CHECK(report.entries == std::ssize(books.entries("ada")));
    });
  }

  TEST_CASE("each kind of tampering is found, with the account and the invariant") {
    struct Row {
      const char* what;
      const char* tamper;
      const char* undo;
      std::vector<std::string> invariants;  // any of them
    };
    const std::vector<Row> rows = {
        {"credits from nowhere",
         "UPDATE credit_allocations SET remaining_credits = remaining_credits + 1, "
         "total_credits = total_credits + 1 WHERE id = 2",
         "UPDATE credit_allocations SET remaining_credits = remaining_credits - 1, "
         "total_credits = total_credits - 1 WHERE id = 2",
         {"I1", "I4"}},
        {"consumed credits that nobody used",
         "UPDATE credit_allocations SET remaining_credits = remaining_credits - 1, "
         "consumed_credits = consumed_credits + 1 WHERE id = 2",
         "UPDATE credit_allocations SET remaining_credits = remaining_credits + 1, "
         "consumed_credits = consumed_credits - 1 WHERE id = 2",
         {"I1", "I2", "I4"}},
        {"a use that was not paid",
         "UPDATE usage_records SET collected_credits = collected_credits - 1 WHERE id = 1",
         "UPDATE usage_records SET collected_credits = collected_credits + 1 WHERE id = 1",
         {"I2"}},
        {"a refund that was not given",
         "UPDATE streaming_sessions SET refund = refund + 1, used_credits = used_credits - 1 "
         "WHERE session_id = 'ended'",
         "UPDATE streaming_sessions SET refund = refund - 1, used_credits = used_credits + 1 "
         "WHERE session_id = 'ended'",
         {"I3"}},
        {"a slice that gave more",
         "UPDATE session_slices SET credits = credits + 1 "
         "WHERE session_id = 'ended' AND position = (SELECT max(position) FROM session_slices "
         "WHERE session_id = 'ended')",
         "UPDATE session_slices SET credits = credits - 1 "
         "WHERE session_id = 'ended' AND position = (SELECT max(position) FROM session_slices "
         "WHERE session_id = 'ended')",
         {"I3"}},
        {"a rollup that adds up to more",
         "UPDATE usage_rollups SET credits = credits + 1 WHERE service = 'chat'",
         "UPDATE usage_rollups SET credits = credits - 1 WHERE service = 'chat'",
         {"I6"}},
        {"a rollup of more records",
         "UPDATE usage_rollups SET records = records + 1 WHERE service = 'chat'",
         "UPDATE usage_rollups SET records = records - 1 WHERE service = 'chat'",
         {"I6"}},
    };
    for_each_database([&](Books& books) {
      if (!books.can_open_again()) {
        return;
      }
      open_books(books);
      for (const auto& row : rows) {
        CAPTURE(row.what);
        books.tamper(row.tamper);
        const VerifyReport report = books.accounting().verify();
        CHECK_FALSE(report.ok);
        bool found = false;
        for (const auto& problem : report.problems) {
          CHECK(problem.user_id == "ada");
          CHECK_FALSE(problem.detail.empty());
          for (const auto& invariant : row.invariants) {
            found = found || problem.invariant == invariant;
          }
        }
        CHECK(found);
        books.tamper(row.undo);
        CHECK(books.accounting().verify().ok);
      }
    });
  }

  TEST_CASE("a lot that was burnt out of order is found") {
    for_each_database([](Books& books) {
      if (!books.can_open_again()) {
        return;
      }
      books.account("ada");
      books.give("ada", 10, 5);
      books.give("ada", 10, 9);
      books.credits().deduct({"ada", 5});
      // As if the other allocation had expired first.
      books.tamper(books.on_postgresql()
                       ? "UPDATE credit_allocations SET expires_at = expires_at + "
                         "interval '20 days' WHERE id = 1"
                       : "UPDATE credit_allocations SET expires_at = expires_at + "
                         "20 * 86400000000 WHERE id = 1");
      const auto report = books.accounting().verify();
      CHECK_FALSE(report.ok);
      REQUIRE_FALSE(report.problems.empty());
      CHECK(report.problems[0].invariant == "I4");
      books.tamper(books.on_postgresql()
                       ? "UPDATE credit_allocations SET expires_at = expires_at - "
                         "interval '20 days' WHERE id = 1"
                       : "UPDATE credit_allocations SET expires_at = expires_at - "
                         "20 * 86400000000 WHERE id = 1");
    });
  }
}

}  // namespace accounting::testing
