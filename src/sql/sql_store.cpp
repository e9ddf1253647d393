#include "sql/sql_store.hpp"

#include "accounting/error.hpp"
#include "platform/forks.hpp"
#include "sql/connection_pool.hpp"
#include "sql/database_url.hpp"
#include "sql/migrator.hpp"
#include "sql/rows.hpp"
#include "sql/sql_session.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>
#include <vector>

namespace accounting::sql {
namespace {

using enum Type;

const Statement read_database_time{
    .name = "read_database_time", .text = "SELECT MICROS_NOW", .columns = {integer}};

class SqlStore final : public store::Store, private platform::ForkWatcher {
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
              url_.in_memory ? 1 : options_.pool_size, options_.pool_timeout) {
    start_watching();
  }

  SqlStore(const SqlStore&) = delete;
  SqlStore& operator=(const SqlStore&) = delete;
  ~SqlStore() override { stop_watching(); }

  std::unique_ptr<store::Reads> read(Deadline deadline) override {
    return std::make_unique<SqlSession>(lease(deadline), SqlSession::Mode::reads, nullptr);
  }

  std::unique_ptr<store::Unit> begin(Deadline deadline) override {
    GateGuard gate = pass_gate(deadline);
    return std::make_unique<SqlSession>(lease(deadline), SqlSession::Mode::writes, std::move(gate));
  }

  std::unique_ptr<store::Unit> begin_if_free(Deadline deadline) override {
    const bool is_sqlite = url_.kind == DatabaseKind::sqlite;
    if (is_sqlite && !gate_->pass_until(std::chrono::steady_clock::now())) {
      return nullptr;
    }
    GateGuard gate(is_sqlite ? gate_.get() : nullptr);
    return std::make_unique<SqlSession>(lease(deadline), SqlSession::Mode::writes_if_free,
                                        std::move(gate));
  }

  [[nodiscard]] std::string kind() const override {
    return url_.kind == DatabaseKind::sqlite ? "sqlite" : "postgresql";
  }

  [[nodiscard]] std::size_t writers() const override {
    const bool is_sqlite = url_.kind == DatabaseKind::sqlite;
    return is_sqlite ? 1
                     : static_cast<std::size_t>(std::max<std::int64_t>(1, options_.pool_size - 1));
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
  // A child must find neither a connection that is the parent's too nor a lock that nobody opens,
  // so that calls are let come to an end first. SQLite's library must not be forked with a file
  // open.
  void before_fork() noexcept override {
    constexpr std::chrono::seconds patience{2};
    const Deadline until = std::chrono::steady_clock::now() + patience;
    gate_passed_ = gate_->pass_until(until);
    at_rest_ = pool_.pause(until, url_.in_memory) && gate_passed_;
  }
  void after_fork_in_parent() noexcept override {
    pool_.resume();
    if (gate_passed_) {
      gate_->release();
    }
  }
  void after_fork_in_child() noexcept override {
    const bool is_sqlite = url_.kind == DatabaseKind::sqlite;
    const bool refused = url_.in_memory || (is_sqlite && !at_rest_);
    pool_.start_anew(refused ? ConnectionPool::Child::refused : ConnectionPool::Child::usable);
    platform::leave_to_parent(std::exchange(gate_, std::make_unique<WriteGate>()));
  }

  GateGuard pass_gate(Deadline deadline) {
    if (url_.kind != DatabaseKind::sqlite) {
      return nullptr;
    }
    if (!gate_->pass_until(
            std::min(std::chrono::steady_clock::now() + options_.lock_timeout, deadline))) {
      throw store::StoreFailure(store::FailureKind::timed_out,
                                "a lock was not had in time (lock_timeout)");
    }
    return GateGuard(gate_.get());
  }

  DatabaseUrl url_;
  Options options_;
  std::unique_ptr<WriteGate> gate_ = std::make_unique<WriteGate>();
  ConnectionPool pool_;
  bool gate_passed_ = false;
  bool at_rest_ = false;
};

}  // namespace

std::shared_ptr<store::Store> open_store(const Options& options) {
  const std::string url =
      options.database.empty() ? database_url_from_environment() : options.database;
  return std::make_shared<SqlStore>(parse_database_url(url), options);
}

}  // namespace accounting::sql
