// Health: whether the books can be used, in an answer that never throws.
#include "support/books.hpp"
#include "support/databases.hpp"

#include <chrono>
#include <optional>

namespace accounting::testing {

TEST_SUITE("health") {
  TEST_CASE("healthy books say which database, schema and time they have") {
    for_each_database({.pool_size = 3}, [](Books& books) {
      books.account("ada");
      books.advance(5s);
      const Health health = books.accounting().health();
      CHECK(health.ok);
      CHECK(health.problem.empty());
      CHECK(health.service == "accounting");
      CHECK_FALSE(health.version.empty());
      CHECK(health.time == kStart + 5s);
      CHECK(health.database == (books.on_postgresql() ? "postgresql" : "sqlite"));
      CHECK(health.reachable);
      CHECK(health.schema_version == books.accounting().schema_version());
      CHECK(health.pending_migrations == 0);
      CHECK(health.pool.size == (books.can_open_again() ? 3 : 1));
      CHECK(health.pool.open >= 1);
      CHECK(health.pool.open <= health.pool.size);
      CHECK(health.pool.in_use <= 1);
    });
  }

  TEST_CASE("a server's clock is compared with the books'") {
    for_databases({Database::postgresql}, {}, [](Books& books) {
      const auto machine = [] {
        return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
      };
      books.clock()->set(machine());
      auto skew = books.accounting().health().clock_skew;
      REQUIRE(skew);
      CHECK(*skew > -10s);
      CHECK(*skew < 10s);
      books.clock()->set(machine() - 1h);
      skew = books.accounting().health().clock_skew;
      REQUIRE(skew);
      CHECK(*skew > 59min);
      CHECK(*skew < 61min);
    });
  }

  TEST_CASE("books that are closed, or whose schema is newer, are not healthy, and do not throw") {
    for_databases({Database::sqlite_file}, {}, [](Books& books) {
      books.tamper("INSERT INTO accounting_migrations VALUES (9999, 'future', 'checksum', 0)");
      const Health newer = books.accounting().health();
      CHECK_FALSE(newer.ok);
      CHECK_FALSE(newer.problem.empty());
      books.tamper("DELETE FROM accounting_migrations WHERE version = 9999");
      CHECK(books.accounting().health().ok);

      auto others = books.open_again();
      others.close();
      const Health closed = others.health();
      CHECK_FALSE(closed.ok);
      CHECK_FALSE(closed.problem.empty());
    });
  }

  TEST_CASE("a database that has gone away is reported, not thrown") {
    if (!postgresql_url_or_skip()) {
      return;
    }
    std::optional<FreshSchema> schema(std::in_place, *postgresql_url());
    auto accounting = Accounting::open({.database = schema->url(), .migrate = true});
    CHECK(accounting.health().ok);
    schema.reset();
    const Health health = accounting.health();
    CHECK_FALSE(health.ok);
    CHECK_FALSE(health.problem.empty());
  }
}

}  // namespace accounting::testing
