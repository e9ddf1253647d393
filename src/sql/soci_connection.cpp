#include "sql/soci_connection.hpp"

#include "sql/dialect.hpp"

#include <algorithm>
#include <utility>

namespace accounting::sql {
namespace {

/// The stable memory that one parameter or column is bound to.
struct Slot {
  long long number = 0;
  std::string text = {};
  soci::indicator indicator = soci::i_null;
};

bool fits(const Value& value, Type type) noexcept {
  return std::holds_alternative<std::monostate>(value) ||
         (type == Type::integer && std::holds_alternative<std::int64_t>(value)) ||
         (type == Type::text && std::holds_alternative<std::string>(value)) ||
         (type == Type::instant && std::holds_alternative<Timestamp>(value));
}

void check(const Call& call) {
  const auto& parameters = call.statement->parameters;
  bool right = call.values.size() == parameters.size();
  for (std::size_t index = 0; right && index < parameters.size(); ++index) {
    right = fits(call.values[index], parameters[index].type);
    const auto* text = std::get_if<std::string>(&call.values[index]);
    if (text != nullptr && text->find('\0') != std::string::npos) {
      throw SqlError(SqlErrorKind::other, "a text holds a NUL byte");
    }
    const auto* instant = std::get_if<Timestamp>(&call.values[index]);
    if (instant != nullptr && !storable(*instant)) {
      throw SqlError(SqlErrorKind::out_of_range, "an instant lies outside the years 1970 to 9999");
    }
  }
  if (!right) {
    throw MistakenStatement("a call's values are not those that its statement declares");
  }
}

/// True where the statements only read, so that they need no lock of their own to be one.
bool only_reads(const std::vector<Call>& calls) {
  return std::all_of(calls.begin(), calls.end(), [](const Call& call) {
    const auto text = call.statement->text;
    return text.substr(0, 6) == "SELECT" && text.find("LOCK_ROW") == std::string_view::npos;
  });
}

bool travels_as_number(Type type, DatabaseKind kind) noexcept {
  return type == Type::integer || (type == Type::instant && kind == DatabaseKind::sqlite);
}

void set(Slot& slot, const Value& value, DatabaseKind kind) {
  slot.indicator = soci::i_ok;
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    slot.number = *number;
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    slot.text = *text;
  } else if (const auto* instant = std::get_if<Timestamp>(&value)) {
    if (kind == DatabaseKind::sqlite) {
      slot.number = instant->time_since_epoch().count();
    } else {
      slot.text = instant_text(*instant);
    }
  } else {
    slot.indicator = soci::i_null;
  }
}

Value take(Slot& slot, Type type) {
  if (slot.indicator == soci::i_null) {
    return std::monostate{};
  }
  if (type == Type::text) {
    return slot.text;
  }
  return static_cast<std::int64_t>(slot.number);
}

}  // namespace

struct SociConnection::Prepared {
  Prepared(soci::session& session, const Statement& declared, DatabaseKind kind)
      : name(declared.name),
        parameters(declared.parameters.size()),
        columns(declared.columns.size()),
        statement(session) {
    for (std::size_t index = 0; index < parameters.size(); ++index) {
      auto& slot = parameters[index];
      const std::string parameter(declared.parameters[index].name);
      if (travels_as_number(declared.parameters[index].type, kind)) {
        statement.exchange(soci::use(slot.number, slot.indicator, parameter));
      } else {
        statement.exchange(soci::use(slot.text, slot.indicator, parameter));
      }
    }
    for (std::size_t index = 0; index < columns.size(); ++index) {
      auto& slot = columns[index];
      if (declared.columns[index] == Type::text) {
        statement.exchange(soci::into(slot.text, slot.indicator));
      } else {
        statement.exchange(soci::into(slot.number, slot.indicator));
      }
    }
    statement.alloc();
    statement.prepare(spell(declared, kind));
    statement.define_and_bind();
  }

  std::string name;
  std::vector<Slot> parameters;
  std::vector<Slot> columns;
  soci::statement statement;
};

SociConnection::SociConnection(const soci::backend_factory& backend,
                               const std::string& connect_string)
    : session_(backend, connect_string) {}

SociConnection::~SociConnection() = default;

std::vector<Rows> SociConnection::run(const Trip& trip) {
  const bool open = in_transaction();
  check_beginning(trip.begin, open);
  std::for_each(trip.calls.begin(), trip.calls.end(), check);
  const bool by_itself = trip.begin == Begin::nothing && !open;
  const auto own_begin = only_reads(trip.calls) ? Begin::read : Begin::write;
  if (!open) {
    reading_ = (by_itself ? own_begin : trip.begin) == Begin::read;
  }
  failed_ = false;
  begun_ = !by_itself;
  try {
    auto answers = by_itself ? perform({.begin = own_begin, .calls = trip.calls, .commit = true})
                             : perform(trip);
    begun_ = begun_ && !trip.commit;
    return answers;
  } catch (...) {
    failed_ = true;
    if (by_itself) {
      rollback();
    }
    throw;
  }
}

void SociConnection::check_beginning(Begin kind, bool open) const {
  if (kind != Begin::nothing && open) {
    throw SqlError(SqlErrorKind::other, "a transaction is open already");
  }
  if (kind == Begin::nothing && failed_) {
    throw SqlError(SqlErrorKind::other, "the transaction has failed");
  }
  // A database may end a transaction by itself; what belonged to it must not happen alone.
  if (kind == Begin::nothing && begun_ && !open) {
    throw SqlError(SqlErrorKind::commit_refused,
                   std::string(describe(SqlErrorKind::commit_refused)));
  }
}

void SociConnection::rollback() noexcept {
  failed_ = false;
  begun_ = false;
  if (in_transaction()) {
    roll_back();
  }
}

std::vector<Rows> SociConnection::perform(const Trip& trip) {
  if (trip.begin != Begin::nothing) {
    begin(trip.begin);
  }
  std::vector<Rows> answers;
  answers.reserve(trip.calls.size());
  for (const auto& call : trip.calls) {
    answers.push_back(execute(call));
  }
  if (trip.commit) {
    commit();
  }
  return answers;
}

SociConnection::Prepared& SociConnection::prepared(const Statement& statement) {
  const auto found = prepared_.find(statement.name);
  if (found != prepared_.end()) {
    return *found->second;
  }
  auto made = std::make_unique<Prepared>(session_, statement, kind());
  const std::string_view key = made->name;  // outlives the statement that was passed
  return *prepared_.emplace(key, std::move(made)).first->second;
}

Rows SociConnection::execute(const Call& call) {
  const auto& statement = *call.statement;
  before_execution();
  try {
    auto& cached = prepared(statement);
    for (std::size_t index = 0; index < call.values.size(); ++index) {
      set(cached.parameters[index], call.values[index], kind());
    }
    return fetch_all(cached, statement);
  } catch (const SqlError&) {
    throw;
  } catch (const MistakenStatement&) {
    prepared_.erase(statement.name);
    throw;
  } catch (const std::exception& error) {
    auto meaning = failure(statement, error);
    clean_up(statement.name);
    throw meaning;
  }
}

void SociConnection::clean_up(std::string_view failed) {
  const auto found = prepared_.find(failed);
  if (found == prepared_.end()) {
    return;
  }
  if (kind() == DatabaseKind::sqlite) {
    prepared_.erase(found);  // what stands in the middle would keep its lock
    return;
  }
  // SOCI frees the text of its parameters only after a success, or here.
  found->second->statement.undefine_and_bind();
  found->second->statement.define_and_bind();
}

Rows SociConnection::fetch_all(Prepared& cached, const Statement& statement) {
  Rows rows;
  bool more = cached.statement.execute(true);
  if (statement.columns.empty()) {
    if (kind() == DatabaseKind::postgresql) {
      return rows;
    }
    if (more) {
      throw MistakenStatement("a statement answers rows that it does not declare");
    }
    if (statement.touches_one_row && cached.statement.get_affected_rows() != 1) {
      throw SqlError(SqlErrorKind::row_count, std::string(describe(SqlErrorKind::row_count)));
    }
    return rows;
  }
  // To the end, always: a cached SELECT left in the middle keeps its snapshot on SQLite.
  for (; more; more = cached.statement.fetch()) {
    auto& row = rows.emplace_back();
    row.reserve(statement.columns.size());
    for (std::size_t index = 0; index < statement.columns.size(); ++index) {
      row.push_back(take(cached.columns[index], statement.columns[index]));
    }
  }
  return rows;
}

}  // namespace accounting::sql
