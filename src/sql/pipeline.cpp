// The trips of PostgresqlConnection: what is sent, what is waited for, what the answers mean.
#include "sql/dialect.hpp"
#include "sql/postgresql_connection.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace accounting::sql {
namespace {

/// So much of a trip may lie here unsent before its answers are taken while it is sent.
constexpr std::size_t most_unsent = 256 * 1024;

/// What the server counts instants from: the year 2000, in microseconds since 1970.
constexpr std::int64_t server_epoch = 946'684'800'000'000;

std::int64_t big_endian(const char* bytes, int size) {
  std::uint64_t number = 0;
  for (int index = 0; index < size; ++index) {
    number = number << 8U | static_cast<unsigned char>(bytes[index]);
  }
  return static_cast<std::int64_t>(number);
}

void put_big_endian(std::uint64_t number, int size, char* bytes) {
  for (int index = size - 1; index >= 0; --index, number >>= 8U) {
    bytes[index] = static_cast<char>(number & 0xffU);
  }
}

/// What the server counts for an instant: 64 bits, like a number.
std::int64_t instant_number(Timestamp instant) {
  return instant.time_since_epoch().count() - server_epoch;
}

Value value_of(const PGresult* result, int row, int column, Type type) {
  if (PQgetisnull(result, row, column) != 0) {
    return std::monostate{};
  }
  const char* bytes = PQgetvalue(result, row, column);
  const int size = PQgetlength(result, row, column);
  if (type == Type::text) {
    return std::string(bytes, static_cast<std::size_t>(size));
  }
  if (type == Type::integer && size == 4) {
    return static_cast<std::int64_t>(static_cast<std::int32_t>(big_endian(bytes, size)));
  }
  if (size != 8) {
    throw MistakenStatement("a column that is declared as a number answers something else");
  }
  const std::int64_t number = big_endian(bytes, size);
  if (type == Type::integer) {
    return number;
  }
  // Infinity stays beyond all that can be stored.
  constexpr auto largest = std::numeric_limits<std::int64_t>::max();
  return number > largest - server_epoch ? largest : number + server_epoch;
}

Row row_of(const PGresult* result, int row, int first_column, const std::vector<Type>& columns) {
  Row values;
  values.reserve(columns.size());
  for (std::size_t column = 0; column < columns.size(); ++column) {
    values.push_back(
        value_of(result, row, first_column + static_cast<int>(column), columns[column]));
  }
  return values;
}

/// Calls of one statement that the server is asked in one go.
struct Group {
  const Statement* statement = nullptr;
  std::vector<std::size_t> calls = {};  ///< their places in the trip
  std::size_t bytes = 0;                ///< of their values, about

  [[nodiscard]] bool is_many() const noexcept { return calls.size() > 1; }
};

/// Hands the rows of a result to the calls that they answer.
void keep_rows(const PGresult* result, const Group& group, std::vector<Rows>& answers) {
  const auto& columns = group.statement->columns;
  if (columns.empty()) {
    return;
  }
  const int first_column = group.is_many() ? 1 : 0;
  if (PQnfields(result) != static_cast<int>(columns.size()) + first_column) {
    throw MistakenStatement("a statement answers other columns than it declares");
  }
  for (int row = 0; row < PQntuples(result); ++row) {
    std::size_t number = 0;
    if (group.is_many()) {
      number = static_cast<std::size_t>(
          std::get<std::int64_t>(value_of(result, row, 0, Type::integer)) - 1);
    }
    answers.at(group.calls.at(number)).push_back(row_of(result, row, first_column, columns));
  }
}

std::size_t bytes_of(const Call& call) {
  constexpr std::size_t about_its_frame = 12;
  std::size_t bytes = 0;
  for (const Value& value : call.values) {
    const auto* text = std::get_if<std::string>(&value);
    bytes += about_its_frame + (text != nullptr ? text->size() : 0);
  }
  return bytes;
}

/// The calls as they are sent: those of one statement together where its first one stands, as long
/// as they do not become too much for one message.
std::vector<Group> group(const std::vector<Call>& calls, bool share) {
  std::vector<Group> groups;
  for (std::size_t place = 0; place < calls.size(); ++place) {
    const Statement* statement = calls[place].statement;
    const std::size_t bytes = bytes_of(calls[place]);
    // The last one of the statement is the one that has room, if any has.
    const auto found = std::find_if(groups.rbegin(), groups.rend(),
                                    [&](const Group& each) { return each.statement == statement; });
    const bool joins = share && found != groups.rend() && has_form_for_many(*statement) &&
                       found->bytes + bytes <= most_unsent;
    if (joins) {
      found->calls.push_back(place);
      found->bytes += bytes;
    } else {
      groups.push_back({.statement = statement, .calls = {place}, .bytes = bytes});
    }
  }
  return groups;
}

/// Values in the form that libpq takes: numbers and instants in binary, a text as it is, and those
/// of many calls as arrays.
class BoundValues {
 public:
  void bind(const Call& call, const std::vector<std::size_t>& order) {
    start(order.size());
    numbers_.resize(std::max(numbers_.size(), order.size()));
    for (std::size_t at = 0; at < order.size(); ++at) {
      const Value& value = call.values[order[at]];
      if (const auto* text = std::get_if<std::string>(&value)) {
        add(text->c_str(), text->size(), 0);
      } else if (std::holds_alternative<std::monostate>(value)) {
        add(nullptr, 0, 0);
      } else {
        put_big_endian(number_of(value), 8, numbers_[at].data());
        add(numbers_[at].data(), 8, 1);
      }
    }
  }

  void bind(const std::vector<Call>& calls, const Group& group) {
    const auto& parameters = group.statement->parameters;
    start(parameters.size());
    arrays_.resize(std::max(arrays_.size(), parameters.size()));
    for (std::size_t at = 0; at < parameters.size(); ++at) {
      std::string& array = arrays_[at];
      array.clear();
      append_head(array, parameters[at].type, group.calls.size());
      for (const std::size_t place : group.calls) {
        append(array, calls[place].values[at]);
      }
      add(array.data(), array.size(), 1);
    }
  }

  [[nodiscard]] int size() const noexcept { return static_cast<int>(pointers_.size()); }
  [[nodiscard]] const char* const* data() const noexcept { return pointers_.data(); }
  [[nodiscard]] const int* lengths() const noexcept { return lengths_.data(); }
  [[nodiscard]] const int* formats() const noexcept { return formats_.data(); }
  /// What they come to, about.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  void start(std::size_t values) {
    pointers_.clear();
    lengths_.clear();
    formats_.clear();
    pointers_.reserve(values);
    bytes_ = 0;
  }

  void add(const char* bytes, std::size_t size, int format) {
    pointers_.push_back(bytes);
    lengths_.push_back(static_cast<int>(size));
    formats_.push_back(format);
    bytes_ += size;
  }

  static std::uint64_t number_of(const Value& value) {
    const auto* number = std::get_if<std::int64_t>(&value);
    return static_cast<std::uint64_t>(
        number != nullptr ? *number : instant_number(std::get<Timestamp>(value)));
  }

  static void append_number(std::string& array, std::uint64_t number, int size) {
    const std::size_t at = array.size();
    array.resize(at + static_cast<std::size_t>(size));
    put_big_endian(number, size, array.data() + at);
  }

  /// One dimension that counts from 1, of elements some of which may be NULL.
  static void append_head(std::string& array, Type type, std::size_t size) {
    constexpr std::uint64_t int8_oid = 20;
    constexpr std::uint64_t text_oid = 25;
    constexpr std::uint64_t timestamptz_oid = 1'184;
    const std::uint64_t oid = type == Type::integer ? int8_oid
                              : type == Type::text  ? text_oid
                                                    : timestamptz_oid;
    for (const std::uint64_t number : {std::uint64_t{1}, std::uint64_t{1}, oid,
                                       static_cast<std::uint64_t>(size), std::uint64_t{1}}) {
      append_number(array, number, 4);
    }
  }

  static void append(std::string& array, const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) {
      append_number(array, text->size(), 4);
      array += *text;
    } else if (std::holds_alternative<std::monostate>(value)) {
      append_number(array, 0xffff'ffffU, 4);
    } else {
      append_number(array, 8, 4);
      append_number(array, number_of(value), 8);
    }
  }

  std::vector<std::array<char, 8>> numbers_;
  std::vector<std::string> arrays_;
  std::vector<const char*> pointers_;
  std::vector<int> lengths_;
  std::vector<int> formats_;
  std::size_t bytes_ = 0;
};

}  // namespace

/// One trip under way: what was sent, what was answered.
class PostgresqlConnection::Flight {
 public:
  Flight(PostgresqlConnection& connection, const std::vector<Call>& calls)
      : my_(connection), calls_(calls), groups_(group(calls, connection.shares_statements_)) {
    answers_.resize(calls.size());
    awaited_.reserve(groups_.size() + 4);
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

  void fly(Begin begin, bool commit) {
    send(begin, commit);
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
    const Group* group = nullptr;
    Prepared* prepared = nullptr;
  };

  /// False where the trip ends here: an answer was an error, or the connection broke.
  bool send(Begin begin, bool commit) {
    const bool begins = begin != Begin::nothing;
    const auto limits = my_.limits_to_set(begins);
    if (begins && !send_plain(begin_text(begin), Role::plain)) {
      return false;
    }
    if (limits && !send_plain(("SELECT " + *limits).c_str(), Role::plain)) {
      return false;
    }
    for (const Group& each : groups_) {
      if (!send_calls(each)) {
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

  bool send_calls(const Group& group) {
    auto& prepared = my_.prepared(*group.statement, group.is_many());
    if (group.is_many()) {
      values_.bind(calls_, group);
    } else {
      values_.bind(calls_[group.calls.front()], prepared.parameters);
    }
    if (!prepared.on_server && !prepared.on_its_way) {
      prepared.on_its_way = true;
      const int accepted = PQsendPrepare(my_.native_, prepared.name.c_str(), prepared.text.c_str(),
                                         values_.size(), nullptr);
      if (!sent(accepted, {Role::preparation, &group, &prepared}, prepared.text.size())) {
        return false;
      }
    }
    constexpr int binary = 1;
    const int accepted =
        PQsendQueryPrepared(my_.native_, prepared.name.c_str(), values_.size(), values_.data(),
                            values_.lengths(), values_.formats(), binary);
    return sent(accepted, {Role::call, &group, &prepared}, values_.bytes());
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
      if (!my_.exchange(Purpose::to_send, my_.end_of_patience())) {
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
          keep(result, *message.group);
        }
        break;
      case Role::commit:
        // The server answers ROLLBACK to the COMMIT of a transaction that has failed.
        committed_ = ok && std::string_view(PQcmdStatus(result)) == "COMMIT";
        refused_ = ok && std::string_view(PQcmdStatus(result)) == "ROLLBACK";
        break;
    }
  }

  void keep(const PGresult* result, const Group& group) {
    try {
      keep_rows(result, group, answers_);
    } catch (const MistakenStatement& mistake) {
      mistake_ = mistake;  // the answers that follow have to be read all the same
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

  /// Reads the mark that ends an answer, which is no result. False where the connection broke, or a
  /// server answers without end.
  bool read_to_end() {
    constexpr int most_results = 100;
    for (int results = 0; results < most_results && can_take(); ++results) {
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
      throw statement_error(*error_,
                            culprit_.group != nullptr ? culprit_.group->statement : nullptr);
    }
    if (refused_) {
      throw plain_error(SqlErrorKind::commit_refused);
    }
    if (lost_ || commit_sent_) {  // the latter: a COMMIT that was answered by what is no answer
      throw commit_sent_ ? my_.commit_error({}) : plain_error(SqlErrorKind::connection_lost);
    }
  }

  PostgresqlConnection& my_;
  const std::vector<Call>& calls_;
  std::vector<Group> groups_;
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
  Flight flight(*this, calls);
  flight.fly(begin, commit);
  return flight.answers();
}

PostgresqlConnection::Prepared& PostgresqlConnection::prepared(const Statement& statement,
                                                               bool many) {
  auto& known = many ? prepared_for_many_ : prepared_;
  if (const auto found = known.find(statement.name); found != known.end()) {
    return *found->second;
  }
  auto numbered = many ? spell_for_many(statement)
                       : number_parameters(spell(statement, kind()), statement.parameters);
  auto made = std::make_unique<Prepared>(
      Prepared{.declared = std::string(statement.name),
               .name = std::string(statement.name) + (many ? "_many" : ""),
               .text = std::move(numbered.text),
               .parameters = std::move(numbered.parameters)});
  const std::string_view key = made->declared;  // outlives the statement that was passed
  return *known.emplace(key, std::move(made)).first->second;
}

}  // namespace accounting::sql
