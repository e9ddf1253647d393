#include "sql/postgresql_connection.hpp"

#include "platform/socket_wait.hpp"

#include <algorithm>
#include <utility>

namespace accounting::sql {

PostgresqlConnection::PostgresqlConnection(const DatabaseUrl& url, const Options& options,
                                           Deadline deadline)
    : handle_(connect_to_postgresql(url, options, deadline)),
      native_(handle_.get()),
      pipelined_(options.pipeline),
      shares_statements_(options.share_statements),
      statement_timeout_(std::min(options.statement_timeout, options.call_timeout)),
      lock_timeout_(std::min(options.lock_timeout, options.call_timeout)),
      tcp_user_timeout_(options.tcp_user_timeout) {
  // For good: also the farewell to a peer that reads nothing more must not wait.
  if (PQsetnonblocking(native_, 1) != 0) {
    throw plain_error(SqlErrorKind::unreachable);
  }
  finish_by(std::min(deadline, std::chrono::steady_clock::now() + options.connect_timeout));
  try {
    set_up();
  } catch (const SqlError& error) {
    throw plain_error(SqlErrorKind::unreachable, error.state());
  }
  finish_by(deadline);
  round_trips_ = 0;
}

void PostgresqlConnection::set_up() {
  const auto sql = "SET statement_timeout = " + milliseconds_text(statement_timeout_) +
                   "; SET lock_timeout = " + milliseconds_text(lock_timeout_) +
                   "; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'iso_8601'"
                   "; SET standard_conforming_strings = on"
                   "; SET default_transaction_isolation = 'read committed'"
                   "; SET default_transaction_deferrable = off"
                   // Statements are planned once, for the index that they are written for: a table
                   // that was small when it was last looked at must not be read as a whole, nor
                   // compiled for.
                   "; SET plan_cache_mode = force_generic_plan; SET jit = off"
                   "; SET enable_hashjoin = off; SET enable_mergejoin = off"
                   "; SET enable_seqscan = off"
                   // A client whose machine is gone must not hold its locks for the two hours that
                   // systems wait for it.
                   "; SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5"
                   "; SET tcp_keepalives_count = 3; SET tcp_user_timeout = " +
                   milliseconds_text(tcp_user_timeout_) +
                   // Money waits for the disk, whatever the server's default is or becomes.
                   "; SELECT set_config('synchronous_commit', coalesce(nullif("
                   "current_setting('synchronous_commit'), 'off'), 'on'), false)";
  execute(sql.c_str());
}

void PostgresqlConnection::run_script(const std::string& script) { execute(script.c_str()); }

bool PostgresqlConnection::in_transaction() const noexcept {
  const auto status = PQtransactionStatus(native_);
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR;
}

bool PostgresqlConnection::broken() const noexcept {
  if (broken_ || PQstatus(native_) == CONNECTION_BAD) {
    return true;
  }
  // Twice: the first may read the server's last words, the second then sees that it is gone.
  return PQtransactionStatus(native_) == PQTRANS_IDLE &&
         (PQconsumeInput(native_) == 0 || PQconsumeInput(native_) == 0);
}

void PostgresqlConnection::note(const ServerError& error) noexcept {
  if (ends_session(error) || spoils_statements(error) || PQstatus(native_) == CONNECTION_BAD) {
    give_up();
  }
}

const char* PostgresqlConnection::begin_text(Begin kind) noexcept {
  return kind != Begin::read ? "BEGIN ISOLATION LEVEL READ COMMITTED"
                             : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
}

SqlError PostgresqlConnection::commit_error(const ServerError& error) {
  note(error);
  if (!ends_session(error) && !leaves_commit_open(error)) {
    return statement_error(error, nullptr);
  }
  give_up();
  return plain_error(reading() ? SqlErrorKind::connection_lost : SqlErrorKind::commit_unknown,
                     error.state);
}

void PostgresqlConnection::roll_back() noexcept {
  const PostgresqlResult result = ask("ROLLBACK");
  if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
    give_up();
  }
}

PostgresqlResult PostgresqlConnection::ask(const char* sql) noexcept {
  ++round_trips_;
  PostgresqlResult answer;
  if (PQsendQuery(native_, sql) != 1) {
    give_up();
    return answer;
  }
  // As PQexec does, which would wait for a silent server without end: the last result, or the first
  // that is an error. A server may answer without end, or begin to copy, which libpq then says of
  // each further result.
  const Deadline until = not_beyond_deadline(Deadline::max());
  while (true) {
    if (!wait_for_answer(until) || std::chrono::steady_clock::now() > until) {
      give_up();
      return nullptr;
    }
    PostgresqlResult next(PQgetResult(native_));
    if (!next) {
      return answer;
    }
    const auto status = PQresultStatus(next.get());
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
      give_up();
      return nullptr;
    }
    if (!answer || PQresultStatus(answer.get()) != PGRES_FATAL_ERROR) {
      answer = std::move(next);
    }
  }
}

Deadline PostgresqlConnection::end_of_patience() const noexcept {
  // The server itself ends a statement at its timeout, and then says so.
  constexpr std::chrono::milliseconds grace{500};
  return not_beyond_deadline(std::chrono::steady_clock::now() + statement_timeout_ + grace);
}

Deadline PostgresqlConnection::not_beyond_deadline(Deadline until) const noexcept {
  // For an answer that the server gives at the very deadline.
  constexpr std::chrono::milliseconds grace{500};
  return deadline() == Deadline::max() ? until : std::min(until, deadline() + grace);
}

bool PostgresqlConnection::wait_for_answer(Deadline until) noexcept {
  // Of a connection that broke PQgetResult says how.
  while (PQisBusy(native_) != 0 && PQstatus(native_) != CONNECTION_BAD) {
    // What TLS has read ahead shows on no socket; a record is at most two reads long.
    if (PQsslInUse(native_) != 0 && PQconsumeInput(native_) != 0 && PQconsumeInput(native_) != 0 &&
        PQisBusy(native_) == 0) {
      break;
    }
    if (!exchange(Purpose::to_hear, until)) {
      return false;
    }
  }
  return true;
}

bool PostgresqlConnection::exchange(Purpose purpose, Deadline until) noexcept {
  using platform::SocketWait;
  const bool is_sent = PQflush(native_) != 1;
  if (is_sent && purpose == Purpose::to_send) {
    return true;  // before the rest of the trip is sent there may be nothing to hear
  }
  // Both at once: a server whose answers are not read stops reading what is sent to it.
  const auto what = is_sent ? SocketWait::to_read : SocketWait::to_read_or_write;
  if (PQstatus(native_) == CONNECTION_BAD) {
    return true;
  }
  if (!platform::wait_for_socket(PQsocket(native_), what, until)) {
    return false;
  }
  const bool goes_on = PQconsumeInput(native_) == 1;
  if (PQstatus(native_) == CONNECTION_BAD) {
    return true;
  }
  // A peer that talks without end is given up on, too, unless what it was asked for has come.
  return goes_on && (PQisBusy(native_) == 0 || std::chrono::steady_clock::now() <= until);
}

std::optional<std::string> PostgresqlConnection::limits_to_set(bool begins) {
  using std::chrono::milliseconds;
  // Less than the grace with which an answer is waited for.
  constexpr milliseconds tolerance{250};
  const auto usual = std::max(statement_timeout_, lock_timeout_);
  const auto now = std::chrono::steady_clock::now();
  const bool shorten = deadline() <= now + usual - tolerance;
  // They last as long as the transaction, whose next call may have more time.
  const bool are_short = std::exchange(limits_are_short_, shorten) && !begins;
  if (!shorten && !are_short) {
    return std::nullopt;
  }
  const auto left =
      shorten ? std::max(milliseconds(1), std::chrono::floor<milliseconds>(deadline() - now))
              : usual;
  const auto setting = [left](const char* name, milliseconds longest) {
    return "set_config('" + std::string(name) + "', '" +
           milliseconds_text(std::min(left, longest)) + "', true)";
  };
  return setting("statement_timeout", statement_timeout_) + ", " +
         setting("lock_timeout", lock_timeout_);
}

void PostgresqlConnection::execute(const char* sql) {
  const PostgresqlResult result = ask(sql);
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    const auto error = read_error(result.get());
    note(error);
    throw statement_error(error, nullptr);
  }
}

}  // namespace accounting::sql
