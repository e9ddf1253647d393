// Opening the books: bad URLs, bad options, databases that are not there or are not the library's.
#include "errors/bad_input.hpp"
#include "support/books.hpp"
#include "support/databases.hpp"

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace accounting::testing {
namespace {

std::string outcome_of_open(const Options& options) {
  return outcome_of([&] {
    auto accounting = Accounting::open(options);
    static_cast<void>(accounting.accounts().list());
  });
}

/// A port on which a server listens that never says a word.
class SilentServer {
 public:
  SilentServer() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    REQUIRE(bind(socket_, generic, size) == 0);
    REQUIRE(listen(socket_, 8) == 0);
    REQUIRE(getsockname(socket_, generic, &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  ~SilentServer() { close(socket_); }

  [[nodiscard]] std::string url() const {
    return "postgresql://u:s3cret@127.0.0.1:" + std::to_string(port_) + "/books";
  }

 private:
  int socket_;
  int port_ = 0;
};

}  // namespace

TEST_SUITE("opening") {
  TEST_CASE("a URL that names no database is refused") {
    const std::vector<std::string> urls = {
        "nonsense",
        "file.db",
        "/tmp/file.db",
        "sqlite",
        "sqlite:",
        "sqlite:/file.db",
        "sqlite://host/file.db",
        "sqlite:///",
        "mysql://localhost/books",
        "http://localhost/books",
        "postgresql",
        "postgresql:",
        "POSTGRESQL//",
        "postgresql://u:p@localhost/books?no_such_option=1",
        "postgresql://u:p%zz@localhost/books",
        "postgresql://[::1/books",
        " sqlite://",
        std::string("sqlite:///a\0b", 13),
        std::string("postgresql://localhost/a\0b", 26),
        "sqlite:///a\nb",
    };
    for (const auto& url : urls) {
      CAPTURE(url);
      const std::string told = outcome_of_open({.database = url});
      CHECK(told == "invalid_argument(database)");
      print_case("open: database '" + url + "'", told);
    }
  }

  TEST_CASE("options out of their range are refused by name") {
    struct Row {
      const char* argument;
      std::function<void(Options&)> change;
    };
    const std::vector<Row> rows = {
        {"pool_size", [](Options& options) { options.pool_size = 0; }},
        {"pool_size", [](Options& options) { options.pool_size = -1; }},
        {"pool_size", [](Options& options) { options.pool_size = 1'001; }},
        {"max_attempts", [](Options& options) { options.max_attempts = 0; }},
        {"max_attempts", [](Options& options) { options.max_attempts = 101; }},
        {"pool_timeout", [](Options& options) { options.pool_timeout = -1ms; }},
        {"connect_timeout", [](Options& options) { options.connect_timeout = 0ms; }},
        {"statement_timeout", [](Options& options) { options.statement_timeout = -1ms; }},
        {"lock_timeout", [](Options& options) { options.lock_timeout = -1ms; }},
        {"policy.buffer", [](Options& options) { options.policy.buffer = -1; }},
        {"policy.buffer", [](Options& options) { options.policy.buffer = 1'000'001; }},
        {"policy.allocation_expiry_days",
         [](Options& options) { options.policy.allocation_expiry_days = 0; }},
        {"policy.allocation_expiry_days",
         [](Options& options) { options.policy.allocation_expiry_days = 1'000'001; }},
        {"policy.refund_expiry_days",
         [](Options& options) { options.policy.refund_expiry_days = 0; }},
        {"policy.session_ttl", [](Options& options) { options.policy.session_ttl = 0us; }},
        {"policy.session_ttl", [](Options& options) { options.policy.session_ttl = -1h; }},
        {"policy.default_prices",
         [](Options& options) {
           options.policy.default_prices = {{"", "1"}};
         }},
        {"policy.default_prices",
         [](Options& options) {
           options.policy.default_prices = {{std::string(101, 'x'), "1"}};
         }},
    };
    for (const auto& [argument, change] : rows) {
      CAPTURE(argument);
      Options options{.database = "sqlite://"};
      change(options);
      const std::string told = outcome_of_open(options);
      CHECK(told == "invalid_argument(" + std::string(argument) + ")");
      print_case(std::string("open: ") + argument + " out of its range", told);
    }
  }

  TEST_CASE("a server that cannot be reached is ConnectionLost, which is retryable") {
    for (const char* url : {"postgresql://u:s3cret@127.0.0.1:1/books",
                            "postgresql://u:s3cret@/books?host=/nonexistent/socket"}) {
      CAPTURE(url);
      try {
        auto accounting = Accounting::open({.database = url});
        static_cast<void>(accounting.accounts().list());
        FAIL_CHECK("opened");
      } catch (const ConnectionLost& error) {
        CHECK(error.code() == ErrorCode::connection_lost);
        print_case(std::string("open: unreachable server ") + url, describe(error));
        CHECK(error.retryable());
        CHECK(std::string(error.what()).find("s3cret") == std::string::npos);
      }
    }
  }

  TEST_CASE("a server that never answers is waited for no longer than connect_timeout") {
    const SilentServer server;
    const auto begin = std::chrono::steady_clock::now();
    const std::string told =
        outcome_of_open({.database = server.url(), .connect_timeout = 1s, .max_attempts = 1});
    CHECK(told == "connection_lost");
    print_case("open: a server that never answers", told);
    CHECK(std::chrono::steady_clock::now() - begin < 5s);
  }

  TEST_CASE("a database that the server does not have is a StoreError") {
    const auto url = postgresql_url_or_skip();
    if (!url) {
      return;
    }
    const std::string other = url->substr(0, url->rfind('/')) + "/no_such_database";
    try {
      auto accounting = Accounting::open({.database = other});
      static_cast<void>(accounting.accounts().list());
      FAIL_CHECK("opened");
    } catch (const StoreError& error) {
      CHECK(std::string(error.what()).find("FATAL") == std::string::npos);
    }
  }

  TEST_CASE("a path that cannot be a database is a StoreError, and stays as it was") {
    const TemporaryDirectory directory;
    const auto text_file = directory.path() / "text.db";
    std::ofstream(text_file) << std::string(5'000, 'x');
    const std::vector<std::string> urls = {
        directory.sqlite_url("missing/books.db"),
        "sqlite:///" + directory.path().string(),
        directory.sqlite_url("text.db"),
    };
    for (const auto& url : urls) {
      CAPTURE(url);
      const std::string told = outcome_of_open({.database = url});
      CHECK(told == "store_error");
      print_case("open: no database can be at " + url.substr(url.rfind('/')), told);
    }
    CHECK(std::filesystem::file_size(text_file) == 5'000);
    CHECK_FALSE(std::filesystem::exists(directory.path() / "missing"));
  }

  TEST_CASE("a database of somebody else's tables is left alone unless asked for") {
    const auto check = [](const std::string& url) {
      run_on(url, "CREATE TABLE others (x INTEGER)");
      const auto sync = [&](std::optional<bool> migrate) {
        return outcome_of([&] {
          auto accounting = Accounting::open({.database = url, .migrate = migrate});
          accounting.accounts().sync({"ada", "e", "n"});
        });
      };
      CHECK(sync(std::nullopt) == "migration_error");
      print_case("open: a database of somebody else's tables", sync(std::nullopt));
      CHECK(sync(false) == "migration_error");
      // Still not set up.
      CHECK_THROWS(run_on(url, "SELECT * FROM user_accounts"));
      CHECK(sync(true) == "ok");
      run_on(url, "SELECT * FROM others");
    };
    SUBCASE("SQLite file") {
      const TemporaryDirectory directory;
      check(directory.sqlite_url());
    }
    SUBCASE("PostgreSQL") {
      if (postgresql_url_or_skip()) {
        const FreshSchema schema(*postgresql_url());
        check(schema.url());
      }
    }
  }

  TEST_CASE("without a URL the environment names the database") {
    const std::vector<const char*> names = {
        "ACCOUNTING_DATABASE_URL", "DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD"};
    for (const char* name : names) {
      unsetenv(name);
    }
    CHECK(outcome_of_open({}) == "invalid_argument(database)");
    setenv("ACCOUNTING_DATABASE_URL", "sqlite://", 1);
    CHECK(outcome_of_open({}) == "ok");
    setenv("DB_HOST", "127.0.0.1", 1);
    CHECK(outcome_of_open({}) == "ok");
    unsetenv("ACCOUNTING_DATABASE_URL");
    setenv("DB_PORT", "1", 1);
    setenv("DB_NAME", "books", 1);
    setenv("DB_USER", "u", 1);
    setenv("DB_PASSWORD", "p@ss/word", 1);
    CHECK(outcome_of_open({}) == "connection_lost");
    setenv("DB_PORT", "seven", 1);
    CHECK(outcome_of_open({}) == "invalid_argument(database)");
    for (const char* name : names) {
      unsetenv(name);
    }
  }
}

}  // namespace accounting::testing
