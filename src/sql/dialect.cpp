#include "sql/dialect.hpp"

#include <array>
#include <chrono>
#include <cstdio>

namespace accounting::sql {
namespace {

struct Macro {
  std::string_view name;
  std::string_view postgresql;  ///< `?` stands for the argument
  std::string_view sqlite;
};

constexpr std::array<Macro, 12> macros = {{
    {"INSTANT_OF", "(?)", "(?)"},
    {"INSTANT", "(?)::timestamptz", "(?)"},
    {"DAY", "((?)::timestamptz AT TIME ZONE 'UTC')::date",
     "strftime('%Y-%m-%d', (?) / 1000000, 'unixepoch')"},
    {"DAY_TEXT", "to_char(?, 'YYYY-MM-DD')", "(?)"},
    {"JSON", "(?)::jsonb", "(?)"},
    {"JSON_TEXT", "(?)::text", "(?)"},
    {"FLAG", "((?)::bigint = 1)", "(?)"},
    {"FLAG_OF", "(?)::int::bigint", "(?)"},
    {"WORDS", "ARRAY(SELECT jsonb_array_elements_text((?)::jsonb))", "(?)"},
    {"WORDS_TEXT", "to_jsonb(?)::text", "(?)"},
    {"NUMERIC", "(?)::numeric", "(?)"},
    {"NUMERIC_TEXT", "(?)::text", "(?)"},
}};

bool is_word(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::size_t end_of_word(std::string_view text, std::size_t start) noexcept {
  while (start < text.size() && is_word(text[start])) {
    ++start;
  }
  return start;
}

/// One past the quoted piece that starts at `start`; a doubled quote is two pieces in a row.
std::size_t end_of_quoted(std::string_view text, std::size_t start) {
  const auto end = text.find(text[start], start + 1);
  if (end == std::string_view::npos) {
    throw MistakenStatement("a quote is left open in a statement");
  }
  return end + 1;
}

/// The closing parenthesis that belongs to the one at `start`.
std::size_t closing_parenthesis(std::string_view text, std::size_t start) {
  int depth = 0;
  for (std::size_t at = start; at < text.size();) {
    if (text[at] == '\'' || text[at] == '"') {
      at = end_of_quoted(text, at);
      continue;
    }
    depth += text[at] == '(' ? 1 : text[at] == ')' ? -1 : 0;
    if (depth == 0) {
      return at;
    }
    ++at;
  }
  throw MistakenStatement("a parenthesis is left open in a statement");
}

std::size_t index_of(std::string_view name, const std::vector<Parameter>& parameters) {
  for (std::size_t index = 0; index < parameters.size(); ++index) {
    if (parameters[index].name == name) {
      return index;
    }
  }
  throw MistakenStatement("a statement names the unknown parameter " + std::string(name));
}

/// What stands for a parameter: its name, or a column of the rows that a statement is for.
enum class Values { by_name, of_each_row };

class Speller {
 public:
  Speller(const Statement& statement, DatabaseKind kind, Values values = Values::by_name)
      : statement_(statement), kind_(kind), values_(values) {}

  std::string spell(std::string_view text) const {
    std::string spelled;
    for (std::size_t at = 0; at < text.size();) {
      at = spell_piece(text, at, spelled);
    }
    return spelled;
  }

 private:
  std::size_t spell_piece(std::string_view text, std::size_t at, std::string& out) const {
    std::size_t end = at + 1;
    if (text[at] == '\'' || text[at] == '"') {
      end = end_of_quoted(text, at);
    } else if (text[at] == ':' && end < text.size() && text[end] == ':') {
      ++end;
    } else if (text[at] == ':' && end < text.size() && is_word(text[end])) {
      end = end_of_word(text, end);
      out += parameter(text.substr(at + 1, end - at - 1));
      return end;
    } else if (is_word(text[at])) {
      end = end_of_word(text, at);
      if (const auto past = spell_word(text, at, end, out); past != at) {
        return past;
      }
    }
    out += text.substr(at, end - at);
    return end;
  }

  /// Spells the word if it is the dialect's and answers where it ends, else answers `at`.
  std::size_t spell_word(std::string_view text, std::size_t at, std::size_t end,
                         std::string& out) const {
    const auto word = text.substr(at, end - at);
    if (word == "LOCK_ROW_IF_FREE") {
      out += kind_ == DatabaseKind::postgresql ? "FOR NO KEY UPDATE SKIP LOCKED" : "";
      return end;
    }
    if (word == "LOCK_ROW") {
      out += kind_ == DatabaseKind::postgresql ? "FOR NO KEY UPDATE" : "";
      return end;
    }
    if (word == "END_OF_TIME") {
      out += kind_ == DatabaseKind::postgresql ? "'infinity'" : "9223372036854775807";
      return end;
    }
    if (word == "MICROS_NOW") {
      // SQLite 3.40 tells the time of day only as a fraction of a day.
      out += kind_ == DatabaseKind::postgresql
                 ? "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
                 : "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)";
      return end;
    }
    if (end == text.size() || text[end] != '(') {
      return at;
    }
    for (const auto& macro : macros) {
      if (macro.name == word) {
        const auto close = closing_parenthesis(text, end);
        expand(macro, spell(text.substr(end + 1, close - end - 1)), out);
        return close + 1;
      }
    }
    return at;
  }

  void expand(const Macro& macro, const std::string& argument, std::string& out) const {
    const auto form = kind_ == DatabaseKind::postgresql ? macro.postgresql : macro.sqlite;
    const auto hole = form.find('?');
    out += form.substr(0, hole);
    out += argument;
    out += form.substr(hole + 1);
  }

  std::string parameter(std::string_view name) const {
    const std::size_t index = index_of(name, statement_.parameters);
    if (values_ == Values::of_each_row) {
      return "each_row.p" + std::to_string(index + 1);
    }
    const auto type = statement_.parameters[index].type;
    std::string spelled = ":" + std::string(name);
    if (kind_ == DatabaseKind::postgresql && type != Type::text) {
      spelled += type == Type::integer ? "::bigint" : "::timestamptz";
    }
    return spelled;
  }

  const Statement& statement_;
  DatabaseKind kind_;
  Values values_;
};

std::string_view array_type(Type type) noexcept {
  switch (type) {
    case Type::integer:
      return "::bigint[]";
    case Type::text:
      return "::text[]";
    case Type::instant:
      return "::timestamptz[]";
  }
  return "";
}

/// Calls `take` with each parameter's place, beginning with 1, as text, and the type of its array.
void for_each_array(const Statement& statement, const auto& take) {
  for (std::size_t index = 0; index < statement.parameters.size(); ++index) {
    take(std::to_string(index + 1), array_type(statement.parameters[index].type));
  }
}

/// How many calls there are.
std::string number_of_rows(const Statement& statement) {
  return "cardinality($1" + std::string(array_type(statement.parameters.front().type)) + ")";
}

/// A relation of the rows of values. The arrays are read side by side, a row at a time: a function
/// in FROM would be written down as a whole first. The limit, which cuts nothing off, has the
/// server expect few rows and look for each in an index, whatever it believes of the other table.
std::string each_row(const Statement& statement) {
  std::string columns;
  for_each_array(statement, [&](const std::string& place, std::string_view type) {
    columns += columns.empty() ? "" : ", ";
    columns += "unnest($" + place + std::string(type) + ") AS p" + place;
  });
  return "(SELECT " + columns + " LIMIT " + number_of_rows(statement) + ") AS each_row";
}

/// The same with `number`, which counts them.
std::string each_numbered_row(const Statement& statement) {
  std::string arrays;
  std::string columns;
  for_each_array(statement, [&](const std::string& place, std::string_view type) {
    arrays += (arrays.empty() ? "$" : ", $") + place + std::string(type);
    columns += "p" + place + ", ";
  });
  return "unnest(" + arrays + ") WITH ORDINALITY AS each_row (" + columns + "number)";
}

/// Fails the transaction on the server, before a COMMIT that travels along, unless so many rows
/// were touched.
std::string touching(const std::string& text, std::string_view rows) {
  const bool reads = text.starts_with("SELECT ");
  return "WITH touched AS (" + text + (reads ? "" : " RETURNING 1") +
         ") SELECT 1 / (count(*) = " + std::string(rows) + ")::int FROM touched";
}

/// The text with `inserted` before its own WHERE, which stands in no parentheses.
std::string insert_before_condition(std::string text, const std::string& inserted) {
  constexpr std::string_view word = " WHERE ";
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '(') {
      at = closing_parenthesis(text, at) + 1;
    } else if (text[at] == '\'' || text[at] == '"') {
      at = end_of_quoted(text, at);
    } else if (text.compare(at, word.size(), word) == 0) {
      return text.insert(at, inserted);
    } else {
      ++at;
    }
  }
  throw MistakenStatement("an UPDATE of many rows lacks WHERE");
}

/// `VALUES (…)` becomes a SELECT from the rows.
std::string select_values(const std::string& text, const std::string& rows) {
  constexpr std::string_view values = "VALUES (";
  const auto at = text.find(values);
  if (at == std::string::npos) {
    throw MistakenStatement("an INSERT of many rows lacks VALUES");
  }
  const auto open = at + values.size() - 1;
  const auto close = closing_parenthesis(text, open);
  return text.substr(0, at) + "SELECT " + text.substr(open + 1, close - open - 1) + " FROM " +
         rows + text.substr(close + 1);
}

}  // namespace

std::string spell(const Statement& statement, DatabaseKind kind) {
  auto text = Speller(statement, kind).spell(statement.text);
  if (!statement.touches_one_row || kind != DatabaseKind::postgresql) {
    return text;
  }
  if (!statement.columns.empty()) {
    throw MistakenStatement("a statement that must touch one row answers none");
  }
  return touching(text, "1");
}

bool has_form_for_many(const Statement& statement) noexcept {
  const bool reads = statement.text.starts_with("SELECT ");
  const bool inserts = statement.text.starts_with("INSERT ") &&
                       statement.text.find("VALUES (") != std::string_view::npos;
  const bool writes = inserts || statement.text.starts_with("UPDATE ");
  return !statement.parameters.empty() && (reads || (writes && statement.columns.empty()));
}

NumberedText spell_for_many(const Statement& statement) {
  const auto text =
      Speller(statement, DatabaseKind::postgresql, Values::of_each_row).spell(statement.text);
  NumberedText many;
  for (std::size_t index = 0; index < statement.parameters.size(); ++index) {
    many.parameters.push_back(index);
  }
  if (!has_form_for_many(statement)) {
    throw MistakenStatement("a statement that has no form for many rows");
  }
  if (text.starts_with("INSERT ")) {
    many.text = select_values(text, each_row(statement));
  } else if (text.starts_with("UPDATE ")) {
    many.text = insert_before_condition(text, " FROM " + each_row(statement));
  } else {
    // What is looked for once a row is not to be joined in another way: OFFSET keeps it apart.
    many.text = "SELECT each_row.number, found.* FROM " + each_numbered_row(statement) +
                " CROSS JOIN LATERAL (SELECT * FROM (" + text + ") AS one OFFSET 0) AS found";
  }
  if (statement.touches_one_row) {
    many.text = touching(many.text, number_of_rows(statement));
  }
  return many;
}

NumberedText number_parameters(const std::string& spelled,
                               const std::vector<Parameter>& parameters) {
  NumberedText numbered;
  const std::string_view text = spelled;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    if (text[at] == '\'' || text[at] == '"') {
      end = end_of_quoted(text, at);
    } else if (text[at] == ':' && end < text.size() && text[end] == ':') {
      ++end;
    } else if (text[at] == ':' && end < text.size() && is_word(text[end])) {
      end = end_of_word(text, end);
      numbered.parameters.push_back(index_of(text.substr(at + 1, end - at - 1), parameters));
      numbered.text += '$' + std::to_string(numbered.parameters.size());
      at = end;
      continue;
    }
    numbered.text += text.substr(at, end - at);
    at = end;
  }
  return numbered;
}

bool storable(Timestamp instant) noexcept {
  constexpr Timestamp end = std::chrono::sys_days(std::chrono::year{10'000} / 1 / 1);
  return instant.time_since_epoch().count() >= 0 && instant < end;
}

std::string instant_text(Timestamp instant) {
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<std::chrono::microseconds> time(instant - day);
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02d:%02d:%02d.%06d+00",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
                static_cast<int>(time.subseconds().count()));
  return text.data();
}

}  // namespace accounting::sql
