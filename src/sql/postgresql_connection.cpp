#include "sql/postgresql_connection.hpp"

#include "platform/socket_wait.hpp"

#include <soci/postgresql/soci-postgresql.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

namespace accounting::sql {
namespace {

/// SOCI cuts a connect string at spaces and treats quotes as its own.
std::string without_spaces_and_quotes(const std::string& url) {
  std::string encoded;
  for (const char c : url) {
    switch (c) {
      case ' ':
        encoded += "%20";
        break;
      case '\t':
        encoded += "%09";
        break;
      case '\'':
        encoded += "%27";
        break;
      case '"':
        encoded += "%22";
        break;
      default:
        encoded += c;
    }
  }
  return encoded;
}

/// Where the URL's query begins; a password may hold a question mark.
std::size_t query_of(const std::string& url) {
  auto start = url.find("://") + 3;
  const auto user_end = url.find_first_of("@/", start);
  if (user_end != std::string::npos && url[user_end] == '@') {
    start = user_end;
  }
  return url.find('?', start);
}

bool names_parameter(const std::string& url, const std::string& name) {
  const auto query = query_of(url);
  return query != std::string::npos && (url.find('?' + name + '=', query) != std::string::npos ||
                                        url.find('&' + name + '=', query) != std::string::npos);
}

std::string text_of(std::chrono::milliseconds time) {
  return std::to_string(std::clamp<std::int64_t>(time.count(), 0, 2'147'483'647));
}

/// libpq counts whole seconds for each host, and 2 at least.
constexpr std::chrono::seconds least_to_connect{2};

std::chrono::seconds left_until(Deadline deadline) {
  return std::chrono::floor<std::chrono::seconds>(deadline - std::chrono::steady_clock::now());
}

std::int64_t seconds_to_connect(const Options& options, Deadline deadline, std::size_t hosts) {
  const auto share = left_until(deadline) / static_cast<std::int64_t>(hosts);
  const auto wanted = std::chrono::ceil<std::chrono::seconds>(options.connect_timeout);
  return std::clamp<std::int64_t>(std::min(share, wanted).count(), least_to_connect.count(),
                                  1'000'000);
}

/// `hosts`: how many share the time. `which`: what leaves the URL one of its hosts, if anything.
std::string connect_string(const DatabaseUrl& url, const Options& options, Deadline deadline,
                           std::size_t hosts, const std::string& which) {
  auto text = without_spaces_and_quotes(url.url);
  const auto add = [&text](const std::string& name, const std::string& value) {
    if (!names_parameter(text, name)) {
      text += query_of(text) == std::string::npos ? '?' : '&';
      text += name + '=' + value;
    }
  };
  add("connect_timeout", std::to_string(seconds_to_connect(options, deadline, hosts)));
  add("fallback_application_name", "accounting");
  add("keepalives_idle", "10");
  add("keepalives_interval", "5");
  add("keepalives_count", "3");
  add("tcp_user_timeout", text_of(options.tcp_user_timeout));
  // The last ones, whatever the URL says.
  text += which;
  text += "&client_encoding=UTF8";  // texts are UTF-8
  return text;
}

/// Connects to the first of the URL's hosts that can be had. Throws soci_error.
void open_session(soci::session& session, const DatabaseUrl& url, const Options& options,
                  Deadline deadline) {
  const std::vector<std::string> hosts = each_host(url);
  const auto open = [&](std::size_t count, const std::string& which) {
    session.open(soci::postgresql, connect_string(url, options, deadline, count, which));
  };
  if (hosts.size() == 1 ||
      left_until(deadline) >= least_to_connect * static_cast<std::int64_t>(hosts.size())) {
    open(hosts.size(), {});
    return;
  }
  // libpq would wait for each, past the deadline.
  for (std::size_t index = 0;; ++index) {
    try {
      open(hosts.size() - index, hosts[index]);
      return;
    } catch (const soci::soci_error&) {
      // What libpq waits at least is to end within a second of the deadline.
      const auto last_moment = deadline - least_to_connect + std::chrono::seconds(1);
      if (index + 1 == hosts.size() || std::chrono::steady_clock::now() > last_moment) {
        throw;
      }
    }
  }
}

PGconn* handle_of(soci::session& session) {
  return static_cast<soci::postgresql_session_backend*>(session.get_backend())->conn_;
}

/// What libpq says about a failed connect may name hosts and roles; these pieces may be told on.
std::string why_unreachable(std::string_view message) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> reasons = {{
      {"password authentication failed", "the server refused the password"},
      {"no password supplied", "the server asks for a password"},
      {"no pg_hba.conf entry", "the server's pg_hba.conf does not admit the client"},
      {"Connection refused", "nothing listens at the host and port"},
      {"No such file or directory", "there is no such socket"},
      {"could not translate host name", "the host's name is unknown"},
      {"timeout expired", "the server did not answer in time"},
      {"too many clients", "the server has no connection left"},
      {"does not exist", "the server knows no such database or role"},
  }};
  std::string text = "no connection to PostgreSQL could be made";
  for (const auto& [piece, reason] : reasons) {
    if (message.find(piece) != std::string_view::npos) {
      return text + ": " + std::string(reason);
    }
  }
  return text;
}

void ignore_notice(void*, const PGresult*) noexcept {}

}  // namespace

PostgresqlConnection::PostgresqlConnection(const DatabaseUrl& url, const Options& options,
                                           Deadline deadline) try
    : pipelined_(options.pipeline),
      shares_statements_(options.share_statements),
      statement_timeout_(std::min(options.statement_timeout, options.call_timeout)),
      lock_timeout_(std::min(options.lock_timeout, options.call_timeout)) {
  open_session(session_, url, options, deadline);
  native_ = handle_of(session_);
  finish_by(std::min(deadline, std::chrono::steady_clock::now() + options.connect_timeout));
  PQsetNoticeReceiver(native_, &ignore_notice, nullptr);
  // For good: also the farewell to a peer that reads nothing more must not wait.
  if (PQsetnonblocking(native_, 1) != 0) {
    throw plain_error(SqlErrorKind::unreachable);
  }
  set_up();
  finish_by(deadline);
  round_trips_ = 0;
} catch (const SqlError& error) {
  throw SqlError(SqlErrorKind::unreachable, why_unreachable({}), error.state());
} catch (const soci::soci_error& error) {
  throw SqlError(SqlErrorKind::unreachable, why_unreachable(error.what()));
}

void PostgresqlConnection::set_up() {
  const auto sql = "SET statement_timeout = " + text_of(statement_timeout_) +
                   "; SET lock_timeout = " + text_of(lock_timeout_) +
                   "; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'iso_8601'"
                   "; SET standard_conforming_strings = on"
                   "; SET default_transaction_isolation = 'read committed'"
                   "; SET default_transaction_deferrable = off"
                   // Statements are planned once, for the index that they are written for: a table
                   // that was small when it was last looked at must not be read as a whole, nor
                   // compiled for.
                   "; SET plan_cache_mode = force_generic_plan; SET jit = off"
                   "; SET enable_hashjoin = off; SET enable_mergejoin = off"
                   // Money waits for the disk, whatever the server's default is.
                   "; SELECT set_config('synchronous_commit', 'on', false)"
                   " WHERE current_setting('synchronous_commit') = 'off'";
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
  // that is an error.
  while (true) {
    if (!wait_for_answer(not_beyond_deadline(Deadline::max()))) {
      give_up();
      return nullptr;
    }
    PostgresqlResult next(PQgetResult(native_));
    if (!next) {
      return answer;
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
    if (!exchange(until)) {
      return false;
    }
  }
  return true;
}

bool PostgresqlConnection::exchange(Deadline until) noexcept {
  using platform::SocketWait;
  // Both at once: a server whose answers are not read stops reading what is sent to it.
  const auto what = PQflush(native_) == 1 ? SocketWait::to_read_or_write : SocketWait::to_read;
  if (PQstatus(native_) == CONNECTION_BAD) {
    return true;
  }
  return platform::wait_for_socket(PQsocket(native_), what, until) &&
         (PQconsumeInput(native_) == 1 || PQstatus(native_) == CONNECTION_BAD);
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
    return "set_config('" + std::string(name) + "', '" + text_of(std::min(left, longest)) +
           "', true)";
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
