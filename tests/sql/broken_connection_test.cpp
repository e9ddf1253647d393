// What is known when a PostgreSQL connection breaks: trap 10 and its neighbours.
#include "samples.hpp"
#include "support/tcp_proxy.hpp"

#include <libpq-fe.h>

#include <chrono>
#include <thread>

using namespace accounting;
using namespace accounting::sql;
using namespace accounting::testing;
using namespace std::chrono_literals;

namespace {

const Statement kill_oneself{
    .name = "kill_oneself",
    .text = "SELECT CASE WHEN pg_terminate_backend(pg_backend_pid()) THEN 1 ELSE 0 END",
    .columns = {Type::integer}};

const Statement own_process{
    .name = "own_process", .text = "SELECT pg_backend_pid()", .columns = {Type::integer}};

std::int64_t process_of(Connection& connection) {
  return std::get<std::int64_t>(connection.run({.calls = {{&own_process, {}}}}).at(0).at(0).at(0));
}

/// Ends the session's server process and waits until it is gone.
void kill(const EmptyDatabase& database, std::int64_t process) {
  run_sql(database.url, "SELECT pg_terminate_backend(" + std::to_string(process) + ", 5000)");
}

EmptyDatabase by_way_of(const TcpProxy& proxy, const EmptyDatabase& database) {
  return {.name = database.name, .url = proxy.url(), .options = database.options};
}

}  // namespace

TEST_CASE("trap 10: a connection that breaks while committing leaves the outcome unknown") {
  for (const auto& database : postgresql_databases()) {
    CAPTURE(database.name);
    create_items(*database.connect());
    TcpProxy proxy(database.url);
    const auto far = by_way_of(proxy, database);
    std::int64_t id = 0;
    for (const auto at_commit : {AtCommit::drop_answer, AtCommit::drop, AtCommit::cut_answer}) {
      CAPTURE(static_cast<int>(at_commit));
      const auto connection = far.connect();
      connection->run({.begin = Begin::write, .calls = {item(++id, "a", 1)}});
      proxy.at_commit(at_commit);
      const bool arrived = at_commit != AtCommit::drop;
      const auto before = count(*database.connect());
      CHECK(kind_of([&] { connection->run({.calls = {item(++id, "b", 1)}, .commit = true}); }) ==
            SqlErrorKind::commit_unknown);
      CHECK(connection->broken());
      connection->rollback();
      proxy.at_commit(AtCommit::pass);
      std::this_thread::sleep_for(100ms);
      // Both outcomes happen, and the error tells them apart in no way.
      CHECK(count(*database.connect()) == before + (arrived ? 2 : 0));
    }
  }
}

TEST_CASE("a broken trip that had nothing to lose is a lost connection") {
  for (const auto& database : postgresql_databases()) {
    CAPTURE(database.name);
    create_items(*database.connect());
    TcpProxy proxy(database.url);
    const auto far = by_way_of(proxy, database);
    for (const auto at_commit : {AtCommit::drop_answer, AtCommit::drop, AtCommit::cut_answer}) {
      proxy.at_commit(AtCommit::pass);
      auto connection = far.connect();
      proxy.at_commit(at_commit);
      CHECK(
          kind_of([&] {
            connection->run({.begin = Begin::read, .calls = {{&count_items, {}}}, .commit = true});
          }) == SqlErrorKind::connection_lost);
      CHECK(connection->broken());
      proxy.at_commit(AtCommit::pass);
      connection = far.connect();
      connection->run({.begin = Begin::read, .calls = {{&count_items, {}}}});
      proxy.at_commit(at_commit);
      CHECK(kind_of([&] { connection->run({.commit = true}); }) == SqlErrorKind::connection_lost);
    }
  }
}

TEST_CASE("a session that is ended before the commit has changed nothing, and says so") {
  for (const auto& database : postgresql_databases()) {
    CAPTURE(database.name);
    create_items(*database.connect());
    auto connection = database.connect();
    CHECK(kind_of([&] {
            connection->run({.begin = Begin::write,
                             .calls = {item(1, "a", 1), {&kill_oneself, {}}, item(2, "b", 2)},
                             .commit = true});
          }) == SqlErrorKind::connection_lost);
    CHECK(connection->broken());
    connection = database.connect();
    connection->run({.begin = Begin::write, .calls = {item(1, "a", 1)}});
    kill(database, process_of(*connection));
    CHECK(kind_of([&] { connection->run({.calls = {item(2, "b", 2)}}); }) ==
          SqlErrorKind::connection_lost);
    CHECK(connection->broken());
    connection->rollback();
    CHECK(count(*database.connect()) == 0);
  }
}

TEST_CASE("a session that is ended in the middle of its commit leaves the outcome unknown") {
  for (const auto& database : postgresql_databases()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    create_items(*connection);
    connection->run_script(
        "CREATE FUNCTION end_session() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$;"
        "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON items DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION end_session()");
    CHECK(kind_of([&] {
            connection->run({.begin = Begin::write, .calls = {item(1, "a", 1)}, .commit = true});
          }) == SqlErrorKind::commit_unknown);
    CHECK(connection->broken());
  }
}

TEST_CASE("an error that the commit itself is answered with is definite") {
  for (const auto& database : postgresql_databases()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    create_items(*connection);
    connection->run_script(
        "CREATE TABLE names (name varchar(50) UNIQUE DEFERRABLE INITIALLY DEFERRED);"
        "INSERT INTO names VALUES ('a')");
    const Statement add{.name = "add_name", .text = "INSERT INTO names VALUES ('a')"};
    CHECK(kind_of([&] {
            connection->run({.begin = Begin::write, .calls = {{&add, {}}}, .commit = true});
          }) == SqlErrorKind::unique_violation);
    CHECK_FALSE(connection->broken());
    connection->rollback();
    CHECK(count(*connection) == 0);
  }
}

TEST_CASE("a session that the server ended while idle is noticed before anything is sent") {
  for (const auto& database : postgresql_databases()) {
    CAPTURE(database.name);
    const auto connection = database.connect();
    create_items(*connection);
    CHECK_FALSE(connection->broken());
    kill(database, process_of(*connection));
    CHECK(kind_of([&] {
            connection->run({.begin = Begin::write, .calls = {item(1, "a", 1)}, .commit = true});
          }) == SqlErrorKind::connection_lost);
    CHECK(connection->broken());
    CHECK(count(*database.connect()) == 0);
  }
}

TEST_CASE("a server that falls silent at work is given up on soon after the statement's time") {
  for (const auto& database : postgresql_databases()) {
    CAPTURE(database.name);
    create_items(*database.connect());
    for (const bool commits : {false, true}) {
      CAPTURE(commits);
      TcpProxy proxy(database.url);
      auto far = by_way_of(proxy, database);
      far.options.statement_timeout = 500ms;
      const auto connection = far.connect();
      connection->run({.begin = Begin::write, .calls = {item(1, "a", 1)}});
      // One statement at a time, the COMMIT is sent only after the statement is answered.
      proxy.fall_silent(commits && database.name == "plain" ? 1 : 0);
      const auto start = std::chrono::steady_clock::now();
      CHECK(kind_of([&] { connection->run({.calls = {item(2, "b", 1)}, .commit = commits}); }) ==
            (commits ? SqlErrorKind::commit_unknown : SqlErrorKind::connection_lost));
      CHECK(std::chrono::steady_clock::now() - start < 2s);
      CHECK(connection->broken());
    }
  }
}

TEST_CASE("a peer that reads nothing more is given up on, while sending and in parting") {
  for (const auto& database : postgresql_databases()) {
    CAPTURE(database.name);
    create_items(*database.connect());
    for (const bool by_deadline : {false, true}) {
      CAPTURE(by_deadline);
      TcpProxy proxy(database.url);
      auto far = by_way_of(proxy, database);
      far.options.statement_timeout = by_deadline ? 1min : 500ms;
      auto connection = far.connect();
      proxy.stop_reading(100'000);
      const std::vector<Call> calls(100, item(1, std::string(100'000, 'z'), 1));
      const auto start = std::chrono::steady_clock::now();
      if (by_deadline) {
        connection->finish_by(start + 500ms);
      }
      CHECK(kind_of([&] {
              connection->run({.begin = Begin::write, .calls = calls, .commit = true});
            }) == SqlErrorKind::connection_lost);
      CHECK(connection->broken());
      connection.reset();
      CHECK(std::chrono::steady_clock::now() - start < 4s);
      CHECK(count(*database.connect()) == 0);
    }
  }
}
