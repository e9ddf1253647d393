// Which database a URL or the environment names.
#include "sql/database_url.hpp"
#include "accounting/error.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <vector>

using namespace accounting;
using namespace accounting::sql;
using namespace std::chrono_literals;

namespace {

/// Replaces the variables that name a database, for one test.
class DatabaseEnvironment {
 public:
  explicit DatabaseEnvironment(const std::map<std::string, std::string>& variables) {
    for (const char* name : {"ACCOUNTING_DATABASE_URL", "DB_HOST", "DB_PORT", "DB_NAME", "DB_USER",
                             "DB_PASSWORD", "PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE"}) {
      if (const char* value = std::getenv(name)) {
        before_[name] = value;
      }
      unsetenv(name);
    }
    for (const auto& [name, value] : variables) {
      setenv(name.c_str(), value.c_str(), 1);
    }
    set_ = variables;
  }
  DatabaseEnvironment(const DatabaseEnvironment&) = delete;
  DatabaseEnvironment& operator=(const DatabaseEnvironment&) = delete;
  ~DatabaseEnvironment() {
    for (const auto& [name, value] : set_) {
      unsetenv(name.c_str());
    }
    for (const auto& [name, value] : before_) {
      setenv(name.c_str(), value.c_str(), 1);
    }
  }

 private:
  std::map<std::string, std::string> before_;
  std::map<std::string, std::string> set_;
};

std::string from(const std::map<std::string, std::string>& variables) {
  const DatabaseEnvironment environment(variables);
  return database_url_from_environment();
}

}  // namespace

TEST_CASE("SQLite URLs name memory, a relative or an absolute path") {
  for (const std::string url : {"sqlite://", "sqlite:///:memory:"}) {
    CAPTURE(url);
    const auto parsed = parse_database_url(url);
    CHECK(parsed.kind == DatabaseKind::sqlite);
    CHECK(parsed.in_memory);
    CHECK(parsed.path.empty());
  }
  const std::map<std::string, std::string> paths = {
      {"sqlite:///books.db", "books.db"},
      {"sqlite:///a/books.db", "a/books.db"},
      {"sqlite:////var/lib/books.db", "/var/lib/books.db"},
      {"sqlite:///my books.db", "my books.db"},
      {"sqlite:///my%20books%3F%23%25.db", "my books?#%.db"},
      {"sqlite:///k%C3%A4se.db", "k\xC3\xA4se.db"},
      {"sqlite:///C:/books.db", "C:/books.db"}};
  for (const auto& [url, path] : paths) {
    CAPTURE(url);
    const auto parsed = parse_database_url(url);
    CHECK_FALSE(parsed.in_memory);
    CHECK(parsed.path == path);
  }
}

TEST_CASE("PostgreSQL URLs go to libpq as they are") {
  for (const std::string url :
       {"postgresql://ada:pw@db.example.org:6432/books", "postgres://db/books",
        "postgresql://ada@/books?host=/var/run/postgresql", "postgresql://",
        "postgresql://a:b%40c@[::1]:5432/books?sslmode=require&options=-csearch_path%3Dx"}) {
    CAPTURE(url);
    const auto parsed = parse_database_url(url);
    CHECK(parsed.kind == DatabaseKind::postgresql);
    CHECK_FALSE(parsed.in_memory);
    CHECK(parsed.url == url);
  }
}

TEST_CASE("what names no database is refused, and no password is repeated") {
  const std::vector<std::string> urls = {"",
                                         "books.db",
                                         "mysql://ada:hunter2@db/books",
                                         "postgresql:ada:hunter2@db",
                                         "sqlite:/books.db",
                                         "sqlite:books.db",
                                         "sqlite:///",
                                         "sqlite://host/books.db",
                                         "sqlite:///books.db?mode=ro",
                                         "sqlite:///books%2",
                                         "sqlite:///books%zz.db",
                                         "sqlite:///books%00.db",
                                         "sqlite:///bo\"oks.db",
                                         "sqlite:/// books.db",
                                         "sqlite:///a\nb",
                                         "postgresql://ada:hunter2%zz@db/books",
                                         "postgresql://ada:hunter2@db/books?no_such=1",
                                         "postgresql://ada:hunter2\n@db/books",
                                         std::string("postgresql://ada:hunter2@db\0x/b", 31)};
  for (const auto& url : urls) {
    CAPTURE(url);
    try {
      parse_database_url(url);
      FAIL_CHECK("the URL was accepted");
    } catch (const InvalidArgument& error) {
      CHECK(error.argument() == "database");
      CHECK(std::string(error.what()).find("hunter2") == std::string::npos);
    }
  }
}

TEST_CASE("the environment names a database by URL, else as the original did") {
  CHECK(from({{"ACCOUNTING_DATABASE_URL", "sqlite:///x.db"}, {"DB_HOST", "db"}}) ==
        "sqlite:///x.db");
  CHECK(from({{"DB_HOST", "db.example.org"},
              {"DB_PORT", "6432"},
              {"DB_NAME", "books"},
              {"DB_USER", "ada"},
              {"DB_PASSWORD", "pw"}}) == "postgresql://ada:pw@db.example.org:6432/books");
  CHECK(from({{"DB_HOST", "db"}, {"DB_NAME", "books"}}) == "postgresql://db:5432/books");
  CHECK(from({{"DB_NAME", "books"}, {"DB_USER", "ada"}}) ==
        "postgresql://ada@localhost:5432/books");
  CHECK(from({{"DB_HOST", "/var/run/postgresql"}, {"DB_NAME", "my books"}}) ==
        "postgresql://%2Fvar%2Frun%2Fpostgresql:5432/my%20books");
  CHECK(from({{"DB_USER", "a@b"}, {"DB_PASSWORD", "p:/?#[]@ %'\""}}) ==
        "postgresql://a%40b:p%3A%2F%3F%23%5B%5D%40%20%25%27%22@localhost:5432");
  CHECK_THROWS_AS(from({}), InvalidArgument);
  CHECK_THROWS_AS(from({{"ACCOUNTING_DATABASE_URL", ""}, {"DB_HOST", ""}}), InvalidArgument);
  for (const std::string port : {"0", "65536", "54x", "-1", " 5432"}) {
    CAPTURE(port);
    CHECK_THROWS_AS(from({{"DB_HOST", "db"}, {"DB_PORT", port}}), InvalidArgument);
  }
  // What is assembled is a URL that the library accepts.
  CHECK_NOTHROW(parse_database_url(from({{"DB_USER", "a@b"}, {"DB_PASSWORD", "p:/?#[]@ %'\""}})));
}

TEST_CASE("a URL with several hosts can be had with each alone, and their names are known") {
  const DatabaseEnvironment environment({});
  const auto hosts_of = [](const std::string& url) { return each_host(parse_database_url(url)); };
  using List = std::vector<Host>;
  CHECK(hosts_of("postgresql:///name") == List{{"", ""}});
  CHECK(hosts_of("postgresql://u@one:5433/name") == List{{"", "one"}});
  CHECK(hosts_of("postgresql://u@one:5433/name?hostaddr=10.0.0.1") == List{{"", ""}});
  CHECK(hosts_of("postgresql:///name?host=/a") == List{{"", ""}});
  CHECK(hosts_of("postgresql:///name?host=@a") == List{{"", ""}});
  CHECK(hosts_of("postgresql://u@one,two/name") ==
        List{{"&host=one&port=", "one"}, {"&host=two&port=", "two"}});
  CHECK(hosts_of("postgresql://u@one:1,two:2/name") ==
        List{{"&host=one&port=1", "one"}, {"&host=two&port=2", "two"}});
  CHECK(hosts_of("postgresql://u@/name?host=/a b,::1&port=1") ==
        List{{"&host=%2Fa%20b", ""}, {"&host=%3A%3A1", "::1"}});
  CHECK(hosts_of("postgresql://u@one,two/name?hostaddr=10.0.0.1,") ==
        List{{"&host=one&hostaddr=10.0.0.1&port=", ""}, {"&host=two&hostaddr=&port=", "two"}});
  CHECK(hosts_of("postgresql://u@one,two:2,three:3/name?port=1,2") == List{{"", ""}});
  CHECK(hosts_of("postgresql://u@one/name?hostaddr=10.0.0.1,10.0.0.2") == List{{"", ""}});
  CHECK(hosts_of("postgresql://u@one/name?port=1,2") == List{{"", ""}});
}

TEST_CASE("hosts that a URL leaves to libpq's environment can be had with each alone, too") {
  const DatabaseEnvironment environment({{"PGHOST", "one,two"}, {"PGPORT", "1"}});
  const auto hosts_of = [](const std::string& url) { return each_host(parse_database_url(url)); };
  using List = std::vector<Host>;
  CHECK(hosts_of("postgresql:///name") == List{{"&host=one", "one"}, {"&host=two", "two"}});
  CHECK(hosts_of("postgresql://three/name") == List{{"", "three"}});
  CHECK(hosts_of("postgresql:///name?service=books") == List{{"", ""}});
  CHECK(hosts_of("postgresql:///name?hostaddr=10.0.0.1") == List{{"", ""}});
}

TEST_CASE("a URL's connect_timeout is in whole seconds, and none where it says to wait for ever") {
  const auto of = [](const std::string& value) {
    return connect_timeout(parse_database_url("postgresql:///name?connect_timeout=" + value));
  };
  CHECK(connect_timeout(parse_database_url("postgresql:///name")) == std::nullopt);
  CHECK(of("7") == 7'000ms);
  CHECK(of("1000000000000") == 86'400'000ms);
  for (const std::string none : {"0", "-1", "", "x", "7x", "99999999999999999999"}) {
    CAPTURE(none);
    CHECK(of(none) == std::nullopt);
  }
}
