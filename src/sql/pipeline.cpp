// The trips of PostgresqlConnection: what is sent, what is waited for, what the answers mean.
#include "sql/dialect.hpp"
#include "sql/postgresql_connection.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

namespace accounting::sql {
namespace {

/// So much of a trip may lie here unsent before its answers are taken while it is sent.
constexpr std::size_t most_unsent = 256 * 1024;

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

/// Calls' values as text, in the form that libpq takes; one call's at a time.
class BoundValues {
 public:
  void bind(const Call& call, const std::vector<std::size_t>& order) {
    texts_.resize(std::max(texts_.size(), call.values.size()));
    by_value_.clear();
    by_parameter_.clear();
    bytes_ = 0;
    for (std::size_t index = 0; index < call.values.size(); ++index) {
      by_value_.push_back(text_of(call.values[index], texts_[index]));
    }
    for (const auto index : order) {
      by_parameter_.push_back(by_value_[index]);
    }
  }

  [[nodiscard]] int size() const noexcept { return static_cast<int>(by_parameter_.size()); }
  [[nodiscard]] const char* const* data() const noexcept { return by_parameter_.data(); }
  /// What they come to, about.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  /// Holds a 64-bit number or an instant, and the zero behind it.
  using ShortText = std::array<char, 32>;

  const char* text_of(const Value& value, ShortText& room) {
    if (const auto* text = std::get_if<std::string>(&value)) {
      bytes_ += text->size();
      return text->c_str();
    }
    char* end = nullptr;
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      end = std::to_chars(room.begin(), room.end(), *number).ptr;
    } else if (const auto* instant = std::get_if<Timestamp>(&value)) {
      end = room.data() + instant_text(*instant).copy(room.data(), room.size() - 1);
    } else {
      return nullptr;
    }
    *end = '\0';
    bytes_ += room.size();
    return room.data();
  }

  std::vector<ShortText> texts_;
  std::vector<const char*> by_value_;
  std::vector<const char*> by_parameter_;
  std::size_t bytes_ = 0;
};

}  // namespace

/// One trip under way: what was sent, what was answered.
class PostgresqlConnection::Flight {
 public:
  Flight(PostgresqlConnection& connection, std::size_t calls) : my_(connection) {
    answers_.reserve(calls);
    awaited_.reserve(calls + 4);
    if (my_.pipelined_ && PQenterPipelineMode(my_.native_) != 1) {
      my_.give_up();
      throw plain_error(SqlErrorKind::connection_lost);
    }
  }

  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  /// A session left in the middle of its answers is of no use.
  ~Flight() {
    const bool left_in_it = my_.pipelined_ ? !landed_ && PQexitPipelineMode(my_.native_) != 1
                                           : PQtransactionStatus(my_.native_) == PQTRANS_ACTIVE;
    if (left_in_it) {
      my_.give_up();
    }
  }

  void fly(Begin begin, const std::vector<Call>& calls, bool commit) {
    send(begin, calls, commit);
    if (my_.pipelined_ && !lost_) {
      land();
    }
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
  enum class Role { plain, preparation, call, commit };

  /// Something that was sent and is to be answered.
  struct Message {
    Role role;
    const Statement* statement = nullptr;
    Prepared* prepared = nullptr;
  };

  /// False where the trip ends here: an answer was an error, or the connection broke.
  bool send(Begin begin, const std::vector<Call>& calls, bool commit) {
    const bool begins = begin != Begin::nothing;
    const auto limits = my_.limits_to_set(begins);
    if (begins && !send_plain(begin_text(begin), Role::plain)) {
      return false;
    }
    if (limits && !send_plain(("SELECT " + *limits).c_str(), Role::plain)) {
      return false;
    }
    for (const auto& call : calls) {
      if (!send_call(call)) {
        return false;
      }
    }
    commit_sent_ = commit;  // from here on the server may have it, whatever libpq says
    return !commit || send_plain("COMMIT", Role::commit);
  }

  bool send_plain(const char* sql, Role role) {
    const int accepted =
        PQsendQueryParams(my_.native_, sql, 0, nullptr, nullptr, nullptr, nullptr, 0);
    return sent(accepted, {.role = role}, 0);
  }

  bool send_call(const Call& call) {
    const auto& statement = *call.statement;
    auto& prepared = my_.prepared(statement);
    values_.bind(call, prepared.parameters);
    if (!prepared.on_server && !prepared.on_its_way) {
      prepared.on_its_way = true;
      const int accepted = PQsendPrepare(my_.native_, prepared.name.c_str(), prepared.text.c_str(),
                                         values_.size(), nullptr);
      if (!sent(accepted, {Role::preparation, &statement, &prepared}, prepared.text.size())) {
        return false;
      }
    }
    const int accepted = PQsendQueryPrepared(my_.native_, prepared.name.c_str(), values_.size(),
                                             values_.data(), nullptr, nullptr, 0);
    return sent(accepted, {Role::call, &statement, &prepared}, values_.bytes());
  }

  /// After each message that libpq was given. False where the trip ends here.
  bool sent(int accepted, const Message& message, std::size_t bytes) {
    if (accepted != 1) {
      return lost();
    }
    awaited_.push_back(message);
    if (!my_.pipelined_) {
      ++my_.round_trips_;
      return take_all() && !error_;
    }
    constexpr std::size_t about_its_frame = 100;
    unsent_ += bytes + about_its_frame;
    return unsent_ < most_unsent || send_off();
  }

  /// Sends what libpq holds back, and takes the answers that come meanwhile: neither side may wait
  /// for the other, or keep all of the trip. False where the trip ends here.
  bool send_off() {
    unsent_ = 0;
    while (true) {
      PQconsumeInput(my_.native_);  // sends, too; of a connection that broke it is told elsewhere
      while (taken_ < awaited_.size() && PQisBusy(my_.native_) == 0) {
        if (!take()) {
          return false;
        }
      }
      if (error_ || PQflush(my_.native_) != 1) {
        return !error_;
      }
      if (!my_.exchange(my_.end_of_patience())) {
        return lost();
      }
    }
  }

  /// False where the connection broke.
  bool take_all() {
    while (taken_ < awaited_.size()) {
      if (!take()) {
        return false;
      }
    }
    return true;
  }

  /// Takes the answer to the next message. False where the connection broke.
  bool take() {
    const Message message = awaited_[taken_];
    const PostgresqlResult result = next_result();
    if (!result) {
      return lost();
    }
    const auto status = PQresultStatus(result.get());
    if (status == PGRES_FATAL_ERROR && !error_) {
      error_ = read_error(result.get());
      culprit_ = message;
      if (ends_session(*error_)) {
        return lost();
      }
      my_.note(*error_);
    }
    use(message, result.get(), status);
    ++taken_;
    return read_to_end();
  }

  void use(const Message& message, PGresult* result, ExecStatusType status) {
    const bool ok = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
    switch (message.role) {
      case Role::plain:
        break;
      case Role::preparation:
        message.prepared->on_server = ok;
        message.prepared->on_its_way = false;
        break;
      case Role::call:
        if (ok && !error_) {
          keep_rows(result, *message.statement);
        }
        break;
      case Role::commit:
        // The server answers ROLLBACK to the COMMIT of a transaction that has failed.
        committed_ = ok && std::string_view(PQcmdStatus(result)) == "COMMIT";
        refused_ = ok && !committed_;
        break;
    }
  }

  void keep_rows(const PGresult* result, const Statement& statement) {
    try {
      answers_.push_back(rows_of(result, statement));
    } catch (const MistakenStatement& mistake) {
      mistake_ = mistake;  // the answers that follow have to be read all the same
      answers_.emplace_back();
    }
  }

  /// False where the peer stayed silent. The clock is read only where there is something to wait
  /// for.
  bool can_take() {
    return PQisBusy(my_.native_) == 0 || my_.wait_for_answer(my_.end_of_patience());
  }

  /// Null where the connection broke.
  PostgresqlResult next_result() {
    return PostgresqlResult(can_take() ? PQgetResult(my_.native_) : nullptr);
  }

  /// Reads the mark that ends an answer, which is no result. False where the connection broke.
  bool read_to_end() {
    while (can_take()) {
      if (const PostgresqlResult rest{PQgetResult(my_.native_)}; !rest) {
        return true;
      }
    }
    return lost();
  }

  bool lost() noexcept {
    lost_ = true;
    my_.give_up();
    return false;
  }

  /// Takes what is still to be answered, up to the server's mark that all of the trip is over, and
  /// leaves pipeline mode.
  void land() {
    ++my_.round_trips_;
    if (PQpipelineSync(my_.native_) != 1) {
      lost();
      return;
    }
    if (!take_all()) {
      return;
    }
    const PostgresqlResult mark = next_result();
    landed_ = mark && PQresultStatus(mark.get()) == PGRES_PIPELINE_SYNC &&
              PQexitPipelineMode(my_.native_) == 1;
    if (!landed_) {
      lost();
    }
  }

  void throw_failure() {
    if (error_ && !error_->state.empty()) {
      const bool hung_up = error_->state.substr(0, 2) == "08";  // perhaps a proxy's word
      if (culprit_.role == Role::commit || (hung_up && commit_sent_)) {
        throw my_.commit_error(*error_);
      }
      throw statement_error(*error_, culprit_.statement);
    }
    if (refused_) {
      throw plain_error(SqlErrorKind::commit_refused);
    }
    if (lost_) {
      throw commit_sent_ ? my_.commit_error({}) : plain_error(SqlErrorKind::connection_lost);
    }
  }

  PostgresqlConnection& my_;
  BoundValues values_;
  std::vector<Message> awaited_;
  std::size_t taken_ = 0;   ///< of `awaited_`
  std::size_t unsent_ = 0;  ///< bytes that libpq may still hold, at most
  std::vector<Rows> answers_;
  std::optional<ServerError> error_;
  Message culprit_{Role::plain};
  std::optional<MistakenStatement> mistake_;
  bool commit_sent_ = false;
  bool committed_ = false;
  bool refused_ = false;
  bool lost_ = false;
  bool landed_ = false;
};

std::vector<Rows> PostgresqlConnection::perform(Begin begin, const std::vector<Call>& calls,
                                                bool commit) {
  if (begin != Begin::nothing && broken()) {
    give_up();
    throw plain_error(SqlErrorKind::connection_lost);
  }
  Flight flight(*this, calls.size());
  flight.fly(begin, calls, commit);
  return flight.answers();
}

PostgresqlConnection::Prepared& PostgresqlConnection::prepared(const Statement& statement) {
  if (const auto found = prepared_.find(statement.name); found != prepared_.end()) {
    return *found->second;
  }
  auto numbered = number_parameters(spell(statement, kind()), statement.parameters);
  auto made = std::make_unique<Prepared>(Prepared{.name = std::string(statement.name),
                                                  .text = std::move(numbered.text),
                                                  .parameters = std::move(numbered.parameters)});
  const std::string_view key = made->name;  // outlives the statement that was passed
  return *prepared_.emplace(key, std::move(made)).first->second;
}

}  // namespace accounting::sql
