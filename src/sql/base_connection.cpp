#include "sql/base_connection.hpp"

#include "sql/dialect.hpp"
#include "sql/sql_error.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace accounting::sql {
namespace {

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

}  // namespace

std::vector<Rows> BaseConnection::run(const Trip& trip) {
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
    auto answers = by_itself ? perform(own_begin, trip.calls, true)
                             : perform(trip.begin, trip.calls, trip.commit);
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

void BaseConnection::check_beginning(Begin kind, bool open) const {
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

void BaseConnection::rollback() noexcept {
  failed_ = false;
  begun_ = false;
  if (in_transaction()) {
    roll_back();
  }
}

}  // namespace accounting::sql
