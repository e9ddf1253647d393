#include "sql/pipeline.hpp"

#include "sql/dialect.hpp"

#include <algorithm>
#include <charconv>
#include <deque>
#include <optional>
#include <set>
#include <string_view>

namespace accounting::sql {
namespace {

constexpr std::size_t calls_between_waits = 200;

Value value_of(const PGresult* result, int row, int column, Type type) {
  if (PQgetisnull(result, row, column) != 0) {
    return std::monostate{};
  }
  const std::string_view text(PQgetvalue(result, row, column),
                              static_cast<std::size_t>(PQgetlength(result, row, column)));
  if (type == Type::text) {
    return std::string(text);
  }
  std::int64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    throw MistakenStatement("a column that is declared as a number answers something else");
  }
  return number;
}

Rows rows_of(const PGresult* result, const Statement& statement) {
  const auto& columns = statement.columns;
  Rows rows;
  if (columns.empty()) {
    return rows;
  }
  if (static_cast<std::size_t>(PQnfields(result)) != columns.size()) {
    throw MistakenStatement("a statement answers other columns than it declares");
  }
  rows.resize(static_cast<std::size_t>(PQntuples(result)));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    rows[row].reserve(columns.size());
    for (std::size_t column = 0; column < columns.size(); ++column) {
      rows[row].push_back(
          value_of(result, static_cast<int>(row), static_cast<int>(column), columns[column]));
    }
  }
  return rows;
}

/// A call's values as text, and the pointers that libpq takes.
class BoundValues {
 public:
  BoundValues(const Call& call, const std::vector<std::size_t>& order) {
    std::vector<const char*> by_parameter;
    for (const auto& value : call.values) {
      by_parameter.push_back(text_of(value));
    }
    for (const auto index : order) {
      pointers_.push_back(by_parameter[index]);
    }
  }

  [[nodiscard]] int size() const noexcept { return static_cast<int>(pointers_.size()); }
  [[nodiscard]] const char* const* data() const noexcept { return pointers_.data(); }

 private:
  const char* text_of(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) {
      return text->c_str();
    }
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      return texts_.emplace_back(std::to_string(*number)).c_str();
    }
    if (const auto* instant = std::get_if<Timestamp>(&value)) {
      return texts_.emplace_back(instant_text(*instant)).c_str();
    }
    return nullptr;
  }

  std::deque<std::string> texts_;  // its strings stay where they are
  std::vector<const char*> pointers_;
};

}  // namespace

/// One trip under way: what was sent, what was answered.
class PipelinedConnection::Flight {
 public:
  Flight(PipelinedConnection& connection, const Trip& trip) : my_(connection), trip_(trip) {
    answers_.reserve(trip.calls.size());
    if (PQenterPipelineMode(my_.native()) != 1) {
      my_.give_up();
      throw plain_error(SqlErrorKind::connection_lost);
    }
  }

  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  /// A session left in the middle of its answers is of no use.
  ~Flight() {
    if (!landed_ && PQexitPipelineMode(my_.native()) != 1) {
      my_.give_up();
    }
  }

  void fly() {
    const auto& calls = trip_.calls;
    std::size_t next = 0;
    do {
      const auto first = next;
      const bool begins = first == 0 && trip_.begin != Begin::nothing;
      next = std::min(calls.size(), first + calls_between_waits);
      const bool ends = next == calls.size();
      if (!send(first, next, begins, ends) || !receive(first, next, begins, ends)) {
        return;
      }
    } while (next < calls.size() && !error_);
    land();
  }

  std::vector<Rows> answers() {
    if (!committed_) {
      throw_failure();
    }
    if (mistake_) {
      throw *mistake_;
    }
    return std::move(answers_);
  }

 private:
  /// False where the connection broke.
  bool send(std::size_t first, std::size_t next, bool begins, bool ends) {
    auto* native = my_.native();
    limits_ = first == 0 ? my_.limits_to_set(begins) : std::nullopt;
    bool sent = !begins || send_plain(begin_text(trip_.begin));
    if (sent && limits_) {
      sent = send_plain(("SELECT " + *limits_).c_str());
    }
    for (auto index = first; sent && index < next; ++index) {
      sent = send_call(trip_.calls[index]);
    }
    if (sent && ends && trip_.commit) {
      commit_sent_ = true;  // from here on the server may have it, whatever libpq says
      sent = send_plain("COMMIT");
    }
    if (sent && ends) {
      synced_ = true;
      sent = PQpipelineSync(native) == 1;
    } else if (sent) {
      sent = PQsendFlushRequest(native) == 1 && PQflush(native) == 0;
    }
    my_.count_round_trip();
    return sent || lost();
  }

  bool send_plain(const char* sql) {
    return PQsendQueryParams(my_.native(), sql, 0, nullptr, nullptr, nullptr, nullptr, 0) == 1;
  }

  bool send_call(const Call& call) {
    auto& statement = my_.prepared(*call.statement);
    const BoundValues values(call, statement.parameters);
    if (!statement.on_server && preparing_.insert(&statement).second &&
        PQsendPrepare(my_.native(), statement.name.c_str(), statement.text.c_str(), values.size(),
                      nullptr) != 1) {
      return false;
    }
    return PQsendQueryPrepared(my_.native(), statement.name.c_str(), values.size(), values.data(),
                               nullptr, nullptr, 0) == 1;
  }

  /// Reads the answers to what `send` sent. False where the connection broke.
  bool receive(std::size_t first, std::size_t next, bool begins, bool ends) {
    if ((begins && !take(nullptr)) || (limits_ && !take(nullptr))) {
      return false;
    }
    for (auto index = first; index < next; ++index) {
      const auto& statement = *trip_.calls[index].statement;
      auto& prepared = my_.prepared(statement);
      if (preparing_.erase(&prepared) == 1) {
        const auto result = take(&statement);
        if (!result) {
          return false;
        }
        prepared.on_server = PQresultStatus(result.get()) == PGRES_COMMAND_OK;
      }
      const auto result = take(&statement);
      if (!result) {
        return false;
      }
      keep_rows(result.get(), statement);
    }
    return !ends || !trip_.commit || take_commit();
  }

  bool take_commit() {
    taking_commit_ = true;
    const auto result = take(nullptr);
    if (result && PQresultStatus(result.get()) == PGRES_COMMAND_OK) {
      committed_ = std::string_view(PQcmdStatus(result.get())) == "COMMIT";
      refused_ = !committed_;
    }
    return result != nullptr;
  }

  /// The answer to one message, and the mark that follows it; null where the connection broke.
  PostgresqlResult take(const Statement* statement) {
    auto* native = my_.native();
    if (!my_.wait_for_answer(std::chrono::steady_clock::now() + my_.patience_)) {
      lost();
      return nullptr;
    }
    PostgresqlResult result(PQgetResult(native));
    if (!result) {
      lost();
      return nullptr;
    }
    if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR && !error_) {
      error_ = read_error(result.get());
      culprit_ = statement;
      error_in_commit_ = taking_commit_;
      if (ends_session(*error_)) {
        lost();
        return nullptr;
      }
      my_.note(*error_);
    }
    while (const PostgresqlResult rest{PQgetResult(native)}) {
    }
    return result;
  }

  void keep_rows(const PGresult* result, const Statement& statement) {
    const auto status = PQresultStatus(result);
    if (error_ || (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)) {
      return;
    }
    try {
      answers_.push_back(rows_of(result, statement));
    } catch (const MistakenStatement& mistake) {
      mistake_ = mistake;  // the answers that follow have to be read all the same
      answers_.emplace_back();
    }
  }

  bool lost() noexcept {
    lost_ = true;
    my_.give_up();
    return false;
  }

  /// Reads up to the server's mark that all of the trip is over, and leaves pipeline mode.
  void land() {
    auto* native = my_.native();
    if (!synced_) {
      my_.count_round_trip();
      if (PQpipelineSync(native) != 1) {
        lost();
        return;
      }
    }
    PostgresqlResult result(my_.wait_for_answer(std::chrono::steady_clock::now() + my_.patience_)
                                ? PQgetResult(native)
                                : nullptr);
    landed_ = result && PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC &&
              PQexitPipelineMode(native) == 1;
    if (!landed_) {
      lost();
    }
  }

  void throw_failure() {
    if (error_ && !error_->state.empty()) {
      const bool hung_up = error_->state.substr(0, 2) == "08";  // perhaps a proxy's word
      if (error_in_commit_ || (hung_up && commit_sent_)) {
        throw my_.commit_error(*error_);
      }
      throw statement_error(*error_, culprit_);
    }
    if (refused_) {
      throw plain_error(SqlErrorKind::commit_refused);
    }
    if (lost_ && commit_sent_) {
      throw my_.commit_error({});
    }
    if (lost_) {
      throw plain_error(SqlErrorKind::connection_lost);
    }
  }

  PipelinedConnection& my_;
  const Trip& trip_;
  std::vector<Rows> answers_;
  std::set<const Prepared*> preparing_;
  std::optional<std::string> limits_;
  std::optional<ServerError> error_;
  const Statement* culprit_ = nullptr;
  std::optional<MistakenStatement> mistake_;
  bool error_in_commit_ = false;
  bool taking_commit_ = false;
  bool commit_sent_ = false;
  bool committed_ = false;
  bool refused_ = false;
  bool synced_ = false;
  bool lost_ = false;
  bool landed_ = false;
};

PipelinedConnection::PipelinedConnection(const DatabaseUrl& url, const Options& options,
                                         Deadline deadline)
    : PostgresqlConnection(url, options, deadline),
      patience_(options.statement_timeout + std::chrono::milliseconds(500)) {}

std::vector<Rows> PipelinedConnection::perform(const Trip& trip) {
  if (trip.begin != Begin::nothing && broken()) {
    give_up();
    throw plain_error(SqlErrorKind::connection_lost);
  }
  Flight flight(*this, trip);
  flight.fly();
  return flight.answers();
}

PipelinedConnection::Prepared& PipelinedConnection::prepared(const Statement& statement) {
  if (const auto found = prepared_.find(statement.name); found != prepared_.end()) {
    return found->second;
  }
  const std::string name(statement.name);
  auto numbered = number_parameters(spell(statement, kind()), statement.parameters);
  return prepared_
      .emplace(name, Prepared{.name = name,
                              .text = std::move(numbered.text),
                              .parameters = std::move(numbered.parameters)})
      .first->second;
}

}  // namespace accounting::sql
