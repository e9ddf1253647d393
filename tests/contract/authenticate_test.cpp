// authenticate: a verified token has an account afterwards.
#include "support/books.hpp"

#include <string>
#include <vector>

namespace accounting::testing {
namespace {

const std::string secret = "0123456789abcdef0123456789abcdef";

// Eve's, good for the first hour of 2026; the second one says that she is a supervisor.
const std::string as_user =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJldmUiLCJ1c2VybmFtZSI6IkV2ZSIsImVtYWlsIjoiZXZlQGV4YW1wbGU"
    "ub3JnIiwicm9sZSI6InVzZXIiLCJ0eXBlIjoiYWNjZXNzIiwiaWF0IjoxNzY3MjI1NjAwLCJleHAiOjE3NjcyMjk"
    "yMDB9.NTWfcXWqOsRMPIzSEEXX3zLYBFhwkZ0GHRJ4OKQs02g";
const std::string as_supervisor =
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJldmUiLCJ1c2VybmFtZSI6IkV2ZSIsImVtYWlsIjoiZXZlQGV4YW1wbGU"
    "ub3JnIiwicm9sZSI6InN1cGVydmlzb3IiLCJ0eXBlIjoiYWNjZXNzIiwiaWF0IjoxNzY3MjI1NjAwLCJleHAiOjE"
    "3NjcyMjkyMDB9.gxQUnNRV8t_PQOrHnTp1pBhuxqXzQB8Dj5jv6TDgcyU";

JwtVerifier verifier_of(const Books& books) {
  return JwtVerifier({.secret = secret, .clock = books.clock()});
}

std::vector<std::string> actors_of(Books& books) {
  std::vector<std::string> actors;
  for (const AuditEntry& entry : books.accounting().audit().list().items) {
    actors.push_back(entry.actor);
  }
  return actors;
}

}  // namespace

TEST_SUITE("authenticate") {
  TEST_CASE("an unknown subject becomes an account, a known one follows its token") {
    for_each_database([](Books& books) {
      const JwtVerifier verifier = verifier_of(books);
      const Principal eve = books.accounting().authenticate(as_user, verifier);
      CHECK(eve == Principal{.user_id = "eve",
                             .username = "Eve",
                             .email = "eve@example.org",
                             .role = Role::user});
      const UserAccount created = books.accounts().get("eve");
      CHECK(created.role == Role::user);
      books.advance(1min);
      books.accounting().authenticate(as_user, verifier);
      CHECK(books.accounts().get("eve") == created);
      books.accounting().authenticate(as_supervisor, verifier);
      CHECK(books.accounts().get("eve").role == Role::supervisor);
      CHECK(books.accounts().get("eve").updated_at == kStart + 1min);
      CHECK(actors_of(books) == std::vector<std::string>{"principal:eve", "principal:eve"});
    });
  }

  TEST_CASE("a refused token touches nothing") {
    for_each_database([](Books& books) {
      books.advance(1h);
      CHECK(outcome_of([&] {
              return books.accounting().authenticate(as_user, verifier_of(books));
            }) == "unauthenticated");
      CHECK(books.accounts().list().total == 0);
    });
  }

  TEST_CASE("first requests of one new user at once make one account") {
    for_each_database({.pool_size = 8}, [](Books& books) {
      const JwtVerifier verifier = verifier_of(books);
      in_threads(40, [&](int) {
        CHECK(books.accounting().authenticate(as_user, verifier).user_id == "eve");
      });
      CHECK(books.accounts().list().total == 1);
      CHECK(actors_of(books).size() == 1);
    });
  }
}

}  // namespace accounting::testing
