// Statement: one SQL statement in a form that both databases share; Call: one use of it.
//
// The text is written once. Parameters are `:name`. What the databases say differently stands in
// capitals and is spelled out by the dialect:
//   INSTANT_OF(column) a timestamp column, read as an instant
//   INSTANT(:name)   a bound instant as the database's own timestamp
//   DAY(:name)       a bound instant as its UTC day; DAY_TEXT(column) a day column as YYYY-MM-DD
//   JSON(:name)      bound JSON text as the database's own JSON; JSON_TEXT(column) the way back
//   FLAG(:name)      a bound 0 or 1 as a boolean; FLAG_OF(column) the way back
//   WORDS(:name)     a bound JSON array as a list of texts; WORDS_TEXT(column) the way back
//   NUMERIC(:name)   bound decimal text as an exact number; NUMERIC_TEXT(column) the way back
//   MICROS_NOW       the database's own clock as whole microseconds since 1970
//   END_OF_TIME      an instant after all others
//   LOCK_ROW         a row lock that lasts until the transaction ends
//   LOCK_ROW_IF_FREE the same, leaving out rows that another transaction has locked
#pragma once

#include "accounting/types.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace accounting::sql {

/// How a parameter or a column travels. An instant is an int64 of microseconds in results and a
/// Timestamp in parameters.
enum class Type { integer, text, instant };

/// A bound or fetched value; monostate is NULL.
using Value = std::variant<std::monostate, std::int64_t, std::string, Timestamp>;

using Row = std::vector<Value>;
using Rows = std::vector<Row>;

/// Puts values behind others, each made where it stays: a braced list copies what is in it.
template <class... Originals>
void append_values(std::vector<Value>& values, Originals&&... originals) {
  values.reserve(values.size() + sizeof...(originals));
  (values.emplace_back(std::forward<Originals>(originals)), ...);
}

template <class... Originals>
std::vector<Value> values_of(Originals&&... originals) {
  std::vector<Value> values;
  append_values(values, std::forward<Originals>(originals)...);
  return values;
}

struct Parameter {
  std::string_view name;
  Type type;
};

struct Statement {
  std::string_view name;  ///< unique; also names the prepared statement on the server
  std::string_view text;
  std::vector<Parameter> parameters = {};
  std::vector<Type> columns = {};  ///< of the result; empty where it answers no rows
  /// An UPDATE or DELETE that must touch exactly one row, else the transaction fails. On PostgreSQL
  /// also a SELECT that must find one, and answers nothing.
  bool touches_one_row = false;
};

/// One use of a statement, with a value for each of its parameters, in their order.
struct Call {
  const Statement* statement;
  std::vector<Value> values;
};

}  // namespace accounting::sql
