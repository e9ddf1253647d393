#include "support/recorded_books.hpp"

#include "services/context.hpp"
#include "sql/connection_pool.hpp"
#include "sql/database_url.hpp"
#include "sql/dialect.hpp"
#include "sql/postgresql_connection.hpp"
#include "sql/sql_session.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace accounting::testing {
namespace {

using sql::Begin;
using sql::DatabaseKind;

/// A text as SQL. Without a closing brace in it, where isolationtester sees the end of a step.
std::string quoted(const std::string& text, DatabaseKind kind) {
  const bool escapes =
      kind == DatabaseKind::postgresql && text.find_first_of("}\\") != std::string::npos;
  std::string literal = escapes ? "E'" : "'";
  for (const char c : text) {
    if (c == '}' && escapes) {
      literal += "\\x7d";
      continue;
    }
    if (c == '\'' || (c == '\\' && escapes)) {
      literal += c;
    }
    literal += c;
  }
  return literal + "'";
}

std::string literal_of(const sql::Value& value, DatabaseKind kind) {
  const bool is_sqlite = kind == DatabaseKind::sqlite;
  if (const auto* text = std::get_if<std::string>(&value)) {
    return quoted(*text, kind);
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return is_sqlite ? std::to_string(*number) : "'" + std::to_string(*number) + "'";
  }
  if (const auto* instant = std::get_if<Timestamp>(&value)) {
    return is_sqlite ? std::to_string(instant->time_since_epoch().count())
                     : "'" + sql::instant_text(*instant) + "'";
  }
  return "NULL";
}

using Calls = std::vector<const sql::Call*>;

RecordedStatement recorded_alone(const sql::Call& call, DatabaseKind kind) {
  auto [text, order] =
      sql::number_parameters(sql::spell(*call.statement, kind), call.statement->parameters);
  RecordedStatement statement{.name = std::string(call.statement->name), .text = std::move(text)};
  for (const std::size_t index : order) {
    statement.values.push_back(literal_of(call.values.at(index), kind));
  }
  return statement;
}

/// One of a value for each call.
std::string array_of(const Calls& calls, std::size_t index) {
  std::string array;
  for (const sql::Call* call : calls) {
    array += (array.empty() ? "ARRAY[" : ", ") +
             literal_of(call->values.at(index), DatabaseKind::postgresql);
  }
  switch (calls.front()->statement->parameters.at(index).type) {
    case sql::Type::integer:
      return array + "]::bigint[]";
    case sql::Type::text:
      return array + "]::text[]";
    case sql::Type::instant:
      return array + "]::timestamptz[]";
  }
  throw std::logic_error("a parameter of an unknown type");
}

RecordedStatement recorded(const Calls& calls, DatabaseKind kind) {
  const sql::Statement& asked = *calls.front()->statement;
  if (calls.size() == 1) {
    return recorded_alone(*calls.front(), kind);
  }
  auto [text, order] = sql::spell_for_many(asked);
  RecordedStatement statement{.name = std::string(asked.name) + "_many", .text = std::move(text)};
  for (const std::size_t index : order) {
    statement.values.push_back(array_of(calls, index));
  }
  return statement;
}

/// The calls of a trip as they are sent: those of one statement together.
std::vector<Calls> sent_together(const std::vector<sql::Call>& calls, bool share) {
  std::vector<Calls> groups;
  for (const sql::Call& call : calls) {
    const auto same = std::find_if(groups.begin(), groups.end(), [&](const Calls& group) {
      return share && group.front()->statement == call.statement &&
             sql::has_form_for_many(*call.statement);
    });
    if (same == groups.end()) {
      groups.push_back({&call});
    } else {
      same->push_back(&call);
    }
  }
  return groups;
}

}  // namespace

class RecordingConnection final : public sql::Connection {
 public:
  using Record = std::shared_ptr<RecordedBooks::Record>;

  RecordingConnection(std::unique_ptr<sql::Connection> inner, bool shares, Record record)
      : inner_(std::move(inner)), shares_(shares), record_(std::move(record)) {}

  [[nodiscard]] DatabaseKind kind() const noexcept override { return inner_->kind(); }
  std::vector<sql::Rows> run(const sql::Trip& trip) override {
    note(trip);
    auto rows = inner_->run(trip);
    if (const auto work = std::exchange(record_->after_next_trip, nullptr)) {
      work();
    }
    return rows;
  }
  void run_script(const std::string& script) override { inner_->run_script(script); }
  void rollback() noexcept override {
    if (inner_->in_transaction()) {
      record_->trips.push_back({.statements = {{.text = "ROLLBACK"}}});
    }
    inner_->rollback();
  }
  [[nodiscard]] bool in_transaction() const noexcept override { return inner_->in_transaction(); }
  [[nodiscard]] bool broken() const noexcept override { return inner_->broken(); }
  [[nodiscard]] std::int64_t round_trips() const noexcept override { return inner_->round_trips(); }

 private:
  void note(const sql::Trip& trip) {
    const bool writes = trip.begin == Begin::write || trip.begin == Begin::write_if_free;
    RecordedTrip noted{.statements = {},
                       .reads = !writes && !inner_->in_transaction(),
                       .begins = writes,
                       .commits = trip.commit && trip.begin != Begin::read};
    if (trip.begin != Begin::nothing) {
      const char* sqlite = writes ? "BEGIN IMMEDIATE" : "BEGIN";
      noted.statements.push_back({.text = kind() == DatabaseKind::sqlite
                                              ? sqlite
                                              : sql::PostgresqlConnection::begin_text(trip.begin)});
    }
    const bool shares = shares_ && kind() == DatabaseKind::postgresql;
    for (const Calls& calls : sent_together(trip.calls, shares)) {
      noted.statements.push_back(recorded(calls, kind()));
    }
    if (trip.commit) {
      noted.statements.push_back({.text = "COMMIT"});
    }
    record_->trips.push_back(std::move(noted));
  }

  std::unique_ptr<sql::Connection> inner_;
  bool shares_;
  Record record_;
};

/// The library's sessions over one recording connection.
class RecordingStore final : public store::Store {
 public:
  RecordingStore(const Options& options, RecordingConnection::Record record)
      : pool_(
            [options, record = std::move(record)](sql::Deadline) {
              return std::make_unique<RecordingConnection>(
                  sql::connect(sql::parse_database_url(options.database), options),
                  options.share_statements, record);
            },
            1, options.pool_timeout) {}

  std::unique_ptr<store::Reads> read(store::Deadline) override {
    return session(sql::SqlSession::Mode::reads);
  }
  std::unique_ptr<store::Unit> begin(store::Deadline) override {
    return session(sql::SqlSession::Mode::writes);
  }
  std::unique_ptr<store::Unit> begin_if_free(store::Deadline) override {
    return session(sql::SqlSession::Mode::writes_if_free);
  }
  [[nodiscard]] std::string kind() const override { return "recorded"; }
  [[nodiscard]] std::size_t writers() const override { return 3; }
  store::SchemaStatus schema_status(store::Deadline) override { return {}; }
  bool empty(store::Deadline) override { return false; }
  std::int64_t migrate(Timestamp) override { throw std::logic_error("the schema is there"); }
  Timestamp database_time(store::Deadline) override { return {}; }
  [[nodiscard]] PoolStatus pool_status() const override { return pool_.status(); }
  void close() noexcept override { pool_.close(); }

 private:
  std::unique_ptr<sql::SqlSession> session(sql::SqlSession::Mode mode) {
    return std::make_unique<sql::SqlSession>(pool_.lease(), mode, nullptr);
  }

  sql::ConnectionPool pool_;
};

RecordedBooks::RecordedBooks(const Options& options)
    : record_(std::make_shared<Record>()),
      context_(std::make_shared<const services::Context>(std::make_shared<services::Books>(
          std::make_shared<RecordingStore>(options, record_), options))) {}

std::vector<RecordedTrip> RecordedBooks::take_trips() { return std::exchange(record_->trips, {}); }

void RecordedBooks::after_next_trip(std::function<void()> work) {
  record_->after_next_trip = std::move(work);
}

std::string RecordedStatement::written() const {
  std::string whole;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '$') {
      whole += text[at++];
      continue;
    }
    std::size_t digits = 0;
    const int number = std::stoi(text.substr(at + 1), &digits);
    whole += values.at(static_cast<std::size_t>(number - 1));
    at += digits + 1;
  }
  return whole;
}

}  // namespace accounting::testing
