// Dialect: spells a statement out for one of the databases.
#pragma once

#include "sql/connection.hpp"
#include "sql/statement.hpp"

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace accounting::sql {

/// A statement that no database could make sense of: a mistake in this library.
class MistakenStatement : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// The statement's text for a database, parameters still as `:name`. PostgreSQL is told the type
/// of integers and instants and infers that of text from where it stands, so text that stands
/// nowhere in particular wants a CAST. Throws MistakenStatement for a text that cannot be right: an
/// unknown parameter, a parenthesis left open.
std::string spell(const Statement& statement, DatabaseKind kind);

/// A spelled text with `$1`, `$2` … in place of the names, and for each the index of its
/// parameter: the form that libpq takes.
struct NumberedText {
  std::string text;
  std::vector<std::size_t> parameters;
};

NumberedText number_parameters(const std::string& spelled,
                               const std::vector<Parameter>& parameters);

/// True for statements that `spell_for_many` can spell.
bool has_form_for_many(const Statement& statement) noexcept;

/// The statement for many rows of values at once, on PostgreSQL: each parameter is an array with a
/// value for each row. A SELECT answers the number of its row, from 1, before its own columns; an
/// UPDATE that must touch one row must touch one for each. The rows are taken in their order.
/// Throws MistakenStatement for a text of another kind.
NumberedText spell_for_many(const Statement& statement);

/// True for the years 1970 to 9999, which both databases keep exactly.
bool storable(Timestamp instant) noexcept;

/// A storable instant as `YYYY-MM-DD hh:mm:ss.ffffff+00`, exact and independent of any time zone.
std::string instant_text(Timestamp instant);

}  // namespace accounting::sql
