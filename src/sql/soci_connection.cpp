#include "sql/soci_connection.hpp"

#include "sql/dialect.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace accounting::sql {
namespace {

/// The stable memory that one parameter or column is bound to.
struct Slot {
  long long number = 0;
  std::string text = {};
  soci::indicator indicator = soci::i_null;
};

void set(Slot& slot, const Value& value) {
  slot.indicator = soci::i_ok;
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    slot.number = *number;
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    slot.text = *text;
  } else if (const auto* instant = std::get_if<Timestamp>(&value)) {
    slot.number = instant->time_since_epoch().count();
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
      if (declared.parameters[index].type == Type::text) {
        statement.exchange(soci::use(slot.text, slot.indicator, parameter));
      } else {
        statement.exchange(soci::use(slot.number, slot.indicator, parameter));
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

std::vector<Rows> SociConnection::perform(Begin begin_as, const std::vector<Call>& calls,
                                          bool commit_after) {
  if (begin_as != Begin::nothing) {
    begin(begin_as);
  }
  std::vector<Rows> answers;
  answers.reserve(calls.size());
  for (const auto& call : calls) {
    answers.push_back(execute(call));
  }
  if (commit_after) {
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
      set(cached.parameters[index], call.values[index]);
    }
    return fetch_all(cached, statement);
  } catch (const SqlError&) {
    throw;
  } catch (const MistakenStatement&) {
    prepared_.erase(statement.name);
    throw;
  } catch (const std::bad_alloc&) {
    prepared_.erase(statement.name);
    throw;  // nothing is wrong with the database
  } catch (const std::exception&) {
    auto meaning = failure();
    prepared_.erase(statement.name);  // what stands in the middle would keep its lock
    throw meaning;
  }
}

Rows SociConnection::fetch_all(Prepared& cached, const Statement& statement) {
  Rows rows;
  bool more = cached.statement.execute(true);
  if (statement.columns.empty()) {
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
