// Index use: what a call costs does not grow with the tables, whatever PostgreSQL believes of their
// size. A statement is planned once, when they may be empty.
#include "support/books.hpp"
#include "support/databases.hpp"

#include <functional>
#include <string>

namespace accounting::testing {
namespace {

constexpr int kCallers = 8;
constexpr int kSessionsEach = 12;

std::string session_of(int caller, int number) {
  return "s" + std::to_string(caller) + "-" + std::to_string(number);
}

/// Callers side by side, so that one statement is about rows of several.
void for_all_sessions(const std::function<void(const std::string& session_id)>& call) {
  in_threads(kCallers, [&](int caller) {
    for (int number = 0; number < kSessionsEach; ++number) {
      call(session_of(caller, number));
    }
  });
}

const std::string kRowsReadOneAfterTheOther =
    "SELECT string_agg(relname || ': ' || seq_tup_read, ', ') FROM pg_stat_user_tables "
    "WHERE seq_tup_read > 0 AND relname <> 'accounting_migrations'";

std::string owner(const std::string& session_id) {
  return "u" + session_id.substr(1, session_id.find('-') - 1);
}

/// Two processes: what one has begun, the other looks up.
void play(Books& books) {
  books.price("m", "1");
  for (int caller = 0; caller < kCallers; ++caller) {
    books.account("u" + std::to_string(caller), 1'000'000);
  }
  const Accounting first = books.open_again();
  const Accounting second = books.open_again();
  for_all_sessions([&](const std::string& id) {
    first.sessions().initialize(
        {.session_id = id, .user_id = owner(id), .model_id = "m", .estimated_tokens = 900});
  });
  for_all_sessions([&](const std::string& id) {
    second.sessions().report({.session_id = id, .user_id = owner(id), .tokens_so_far = 500});
    first.credits().charge({owner(id), "chat", "m", 1});
  });
  for_all_sessions([&](const std::string& id) {
    first.sessions().finalize({.session_id = id, .user_id = owner(id), .actual_tokens = 700});
    static_cast<void>(second.credits().balance(owner(id)));
    static_cast<void>(second.usage().user_stats({.user_id = owner(id)}));
  });
  CHECK(second.verify().ok);
}

}  // namespace

TEST_SUITE("index use") {
  TEST_CASE("no table is read from end to end") {
    const auto server = postgresql_url_or_skip();
    if (!server) {
      return;
    }
    const FreshDatabase database(*server);
    {
      Books books(Database::postgresql, {.database = database.url(), .migrate = true});
      play(books);
    }
    database.wait_until_left();  // the server counts what a connection did as it ends
    CHECK(run_on(database.url(), kRowsReadOneAfterTheOther) == "");
    run_on(database.url(), "SELECT count(*) FROM streaming_sessions");
    database.wait_until_left();
    CHECK(run_on(database.url(), kRowsReadOneAfterTheOther) ==
          "streaming_sessions: " + std::to_string(kCallers * kSessionsEach));
  }
}

}  // namespace accounting::testing
