#include "sql/sql_store.hpp"

#include "accounting/error.hpp"
#include "sql/connection_pool.hpp"
#include "sql/database_url.hpp"
#include "sql/migrator.hpp"
#include "sql/rows.hpp"
#include "sql/sql_session.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace accounting::sql {
namespace {

using enum Type;

const Statement read_database_time{
    .name = "read_database_time", .text = "SELECT MICROS_NOW", .columns = {integer}};

class SqlStore final : public store::Store {
  Lease lease(Deadline deadline) {
    try {
      return pool_.lease(deadline);
    } catch (const SqlError& error) {
      throw_store_error(error);
    }
  }

  template <class Work>
  auto with_connection(Deadline deadline, Work work) {
    const Lease connection = lease(deadline);
    try {
      return work(*connection);
    } catch (const SqlError& error) {
      throw_store_error(error);
    }
  }

 public:
  SqlStore(DatabaseUrl url, Options options)
      : url_(std::move(url)),
        options_(std::move(options)),
        pool_([this](Deadline deadline) { return connect(url_, options_, deadline); },
              url_.in_memory ? 1 : options_.pool_size, options_.pool_timeout) {}

  std::unique_ptr<store::Reads> read(Deadline deadline) override {
    return std::make_unique<SqlSession>(lease(deadline), SqlSession::Mode::reads, nullptr);
  }

  std::unique_ptr<store::Unit> begin(Deadline deadline) override {
    GateGuard gate = pass_gate(deadline);
    return std::make_unique<SqlSession>(lease(deadline), SqlSession::Mode::writes, std::move(gate));
  }

  std::unique_ptr<store::Unit> begin_if_free(Deadline deadline) override {
    const bool is_sqlite = url_.kind == DatabaseKind::sqlite;
    if (is_sqlite && !gate_.pass_until(Deadline::min())) {
      return nullptr;
    }
    GateGuard gate(is_sqlite ? &gate_ : nullptr);
    return std::make_unique<SqlSession>(lease(deadline), SqlSession::Mode::writes_if_free,
                                        std::move(gate));
  }

  [[nodiscard]] std::string kind() const override {
    return url_.kind == DatabaseKind::sqlite ? "sqlite" : "postgresql";
  }

  store::SchemaStatus schema_status(Deadline deadline) override {
    return with_connection(deadline, [](Connection& connection) {
      const MigrationStatus status = migration_status(connection);
      return store::SchemaStatus{.version = status.version, .pending = status.pending};
    });
  }

  bool empty(Deadline deadline) override {
    return with_connection(deadline,
                           [](Connection& connection) { return database_is_empty(connection); });
  }

  std::int64_t migrate(Timestamp now) override {
    const GateGuard gate = pass_gate(Deadline::max());
    return with_connection(Deadline::max(),
                           [now](Connection& connection) { return sql::migrate(connection, now); });
  }

  Timestamp database_time(Deadline deadline) override {
    return with_connection(deadline, [](Connection& connection) {
      const std::vector<Rows> results =
          connection.run({.calls = {{.statement = &read_database_time, .values = {}}}});
      return RowReader(results.at(0).at(0)).instant();
    });
  }

  [[nodiscard]] PoolStatus pool_status() const override { return pool_.status(); }

  void close() noexcept override { pool_.close(); }

 private:
  GateGuard pass_gate(Deadline deadline) {
    if (url_.kind != DatabaseKind::sqlite) {
      return nullptr;
    }
    if (!gate_.pass_until(
            std::min(std::chrono::steady_clock::now() + options_.lock_timeout, deadline))) {
      throw store::StoreFailure(store::FailureKind::timed_out,
                                "a lock was not had in time (lock_timeout)");
    }
    return GateGuard(&gate_);
  }

  DatabaseUrl url_;
  Options options_;
  WriteGate gate_;
  ConnectionPool pool_;
};

}  // namespace

std::shared_ptr<store::Store> open_store(const Options& options) {
  const std::string url =
      options.database.empty() ? database_url_from_environment() : options.database;
  return std::make_shared<SqlStore>(parse_database_url(url), options);
}

}  // namespace accounting::sql
