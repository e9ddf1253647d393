#include "sql/postgresql_error.hpp"

#include <array>
#include <utility>

namespace accounting::sql {
namespace {

struct StateMeaning {
  std::string_view prefix;
  SqlErrorKind kind;
};

/// The first prefix that fits decides.
constexpr std::array<StateMeaning, 22> meanings = {{
    {"40001", SqlErrorKind::serialization},
    {"40P01", SqlErrorKind::serialization},
    {"40003", SqlErrorKind::commit_unknown},
    {"08007", SqlErrorKind::commit_unknown},
    {"40", SqlErrorKind::constraint},  // 40002: a deferred constraint
    {"55P03", SqlErrorKind::busy},
    {"57014", SqlErrorKind::timeout},
    {"57P01", SqlErrorKind::connection_lost},
    {"57P02", SqlErrorKind::connection_lost},
    {"57P03", SqlErrorKind::connection_lost},
    {"57P05", SqlErrorKind::connection_lost},
    {"25P03", SqlErrorKind::connection_lost},  // idle in a transaction for too long
    {"08", SqlErrorKind::connection_lost},
    {"26000", SqlErrorKind::connection_lost},  // the statement is gone with its server session
    {"23505", SqlErrorKind::unique_violation},
    {"23", SqlErrorKind::constraint},
    {"22003", SqlErrorKind::out_of_range},
    {"42P01", SqlErrorKind::missing_table},
    {"3F000", SqlErrorKind::missing_table},
    {"25006", SqlErrorKind::read_only},
    {"53100", SqlErrorKind::full},
    {"53", SqlErrorKind::other},
}};

SqlErrorKind kind_of(std::string_view state) noexcept {
  for (const auto& meaning : meanings) {
    if (state.substr(0, meaning.prefix.size()) == meaning.prefix) {
      return meaning.kind;
    }
  }
  return SqlErrorKind::other;
}

/// Says more than "refused" about what has no kind of its own, and quotes nothing.
std::string_view describe_other(std::string_view state) noexcept {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> classes = {{
      {"22", "the database refused a value"},
      {"25", "the transaction has failed"},
      {"28", "the database refused the login"},
      {"42501", "the database role lacks a permission"},
      {"42", "the database does not understand the statement"},
      {"53", "the database is short of resources"},
      {"54", "a limit of the database was exceeded"},
      {"58", "the database met a system error"},
      {"XX", "the database met an internal error"},
  }};
  for (const auto& [prefix, text] : classes) {
    if (state.substr(0, prefix.size()) == prefix) {
      return text;
    }
  }
  return describe(SqlErrorKind::other);
}

std::string_view field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? std::string_view() : std::string_view(text);
}

}  // namespace

ServerError read_error(const PGresult* result) {
  const auto severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  return {.state = std::string(field(result, PG_DIAG_SQLSTATE)),
          .fatal = severity == "FATAL" || severity == "PANIC"};
}

bool ends_session(const ServerError& error) noexcept {
  return error.state.empty() || error.fatal || error.state.substr(0, 2) == "08" ||
         error.state == "57P01" || error.state == "57P02" || error.state == "57P03";
}

bool spoils_statements(const ServerError& error) noexcept {
  // 0A000: the plan's result type changed, for example by a migration elsewhere.
  return error.state == "26000" || error.state == "0A000";
}

bool leaves_commit_open(const ServerError& error) noexcept {
  return kind_of(error.state) == SqlErrorKind::commit_unknown;
}

SqlError statement_error(const ServerError& error, const Statement* statement) {
  if (error.state == "22012" && statement != nullptr && statement->touches_one_row) {
    return plain_error(SqlErrorKind::row_count, error.state);
  }
  auto kind = kind_of(error.state);
  if (kind == SqlErrorKind::commit_unknown || ends_session(error)) {
    kind = SqlErrorKind::connection_lost;
  }
  return plain_error(kind, error.state);
}

SqlError plain_error(SqlErrorKind kind, const std::string& state) {
  const auto text = kind == SqlErrorKind::other ? describe_other(state) : describe(kind);
  return SqlError(kind, std::string(text) + (state.empty() ? "" : " (" + state + ")"), state);
}

}  // namespace accounting::sql
