#include "sql/postgresql_connect.hpp"

#include "platform/socket_wait.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <vector>

namespace accounting::sql {
namespace {

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

/// The URL with what it leaves open, and what holds whatever it says; parameters can be added.
std::string complete_url(const DatabaseUrl& url, const Options& options) {
  auto text = url.url;
  // libpq takes a separator at the end, but none before another one.
  while (text.ends_with('?') || text.ends_with('&')) {
    text.pop_back();
  }
  const auto add = [&text](const std::string& name, const std::string& value) {
    if (!names_parameter(text, name)) {
      text += query_of(text) == std::string::npos ? '?' : '&';
      text += name + '=' + value;
    }
  };
  add("fallback_application_name", "accounting");
  add("keepalives_idle", "10");
  add("keepalives_interval", "5");
  add("keepalives_count", "3");
  add("tcp_user_timeout", milliseconds_text(options.tcp_user_timeout));
  return text + "&client_encoding=UTF8";  // texts are UTF-8
}

/// The SQLSTATE at the end of a line of what libpq says where the server refused; else empty.
std::string_view state_at_end(std::string_view line) {
  constexpr std::size_t length = 5;
  const auto state = line.substr(line.size() - std::min(line.size(), length));
  const bool is_state =
      state.size() == length && line.ends_with("  " + std::string(state)) &&
      state.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string_view::npos;
  return is_state ? state : std::string_view();
}

/// The first one where there are several: what libpq then tried, without TLS say, was its own idea.
std::string_view refusal_of(std::string_view message) {
  for (std::size_t at = 0; at < message.size();) {
    const auto end = std::min(message.find('\n', at), message.size());
    if (const auto state = state_at_end(message.substr(at, end - at)); !state.empty()) {
      return state;
    }
    at = end + 1;
  }
  return {};
}

struct Reason {
  std::string_view piece;  ///< of what libpq says, or the SQLSTATE
  std::string_view text;
  SqlErrorKind kind = SqlErrorKind::unreachable;
};

}  // namespace

SqlError failed_connect(std::string_view message) {
  constexpr auto turned_away = SqlErrorKind::turned_away;
  constexpr std::array<Reason, 4> refusals = {{
      {"28P01", "the server refused the password", turned_away},
      {"28000", "the server does not admit the client or knows no such role", turned_away},
      {"3D000", "the server knows no such database", turned_away},
      {"53300", "the server has no connection left"},
  }};
  constexpr std::array<Reason, 4> failures = {{
      {"no password supplied", "the server asks for a password", turned_away},
      {"Connection refused", "nothing listens at the host and port"},
      {"No such file or directory", "there is no such socket"},
      {"could not translate host name", "the host's name is unknown"},
  }};
  std::string text(describe(SqlErrorKind::unreachable));
  const std::string_view state = refusal_of(message);
  const auto& reasons = state.empty() ? failures : refusals;
  const auto* reason = std::ranges::find_if(reasons, [&](const Reason& known) {
    return state.empty() ? message.find(known.piece) != std::string_view::npos
                         : state == known.piece;
  });
  if (reason == reasons.end()) {
    return {SqlErrorKind::unreachable, text, std::string(state)};
  }
  return {reason->kind, text + ": " + std::string(reason->text), std::string(state)};
}

namespace {

void ignore_notice(void*, const PGresult*) noexcept {}

/// Throws SqlError. Not PQconnectdb, which counts whole seconds, and 2 at least.
PostgresqlHandle open(const std::string& text, Deadline until) {
  PostgresqlHandle handle(PQconnectStart(text.c_str()));
  if (!handle) {
    throw std::bad_alloc();
  }
  PQsetNoticeReceiver(handle.get(), &ignore_notice, nullptr);
  // The server's sentence is in its own language.
  PQsetErrorVerbosity(handle.get(), PQERRORS_SQLSTATE);
  auto next = PGRES_POLLING_WRITING;
  // The clock is read each time: a peer may talk without end.
  for (bool late = false; PQstatus(handle.get()) != CONNECTION_BAD && next != PGRES_POLLING_OK;
       late = std::chrono::steady_clock::now() > until) {
    const auto what = next == PGRES_POLLING_READING ? platform::SocketWait::to_read
                                                    : platform::SocketWait::to_write;
    if (late || !platform::wait_for_socket(PQsocket(handle.get()), what, until)) {
      throw SqlError(SqlErrorKind::unreachable, std::string(describe(SqlErrorKind::unreachable)) +
                                                    ": the server did not answer in time");
    }
    next = PQconnectPoll(handle.get());
  }
  if (PQstatus(handle.get()) != CONNECTION_OK) {
    throw failed_connect(PQerrorMessage(handle.get()));
  }
  PQsetErrorVerbosity(handle.get(), PQERRORS_DEFAULT);
  return handle;
}

/// The first connection that `open(index, until)` makes. Each index has an equal part of the time
/// that is left.
template <class Open>
PostgresqlHandle first_of(std::size_t count, Deadline deadline, const Open& open) {
  for (std::size_t index = 0;; ++index) {
    const auto now = std::chrono::steady_clock::now();
    const auto share = (deadline - now) / static_cast<std::int64_t>(count - index);
    try {
      return open(index, now + share);
    } catch (const SqlError& error) {
      // To look the next host up takes its time, too.
      const bool is_late = std::chrono::steady_clock::now() >= deadline;
      if (index + 1 == count || is_late || error.kind() == SqlErrorKind::turned_away) {
        throw;
      }
    }
  }
}

/// libpq would go from a silent address to the next only by itself.
PostgresqlHandle open_host(const std::string& text, const Host& host,
                           const std::vector<std::string>& addresses, Deadline until) {
  if (addresses.empty()) {
    return open(text + host.parameters, until);
  }
  return first_of(addresses.size(), until, [&](std::size_t index, Deadline until_next) {
    return open(text + host.parameters + one_parameter("hostaddr", addresses[index]), until_next);
  });
}

}  // namespace

std::string milliseconds_text(std::chrono::milliseconds time) {
  return std::to_string(std::clamp<std::int64_t>(time.count(), 0, 2'147'483'647));
}

PostgresqlHandle connect_to_postgresql(const DatabaseUrl& url, const Options& options,
                                       Deadline deadline, const Resolver& addresses_of) {
  const std::string text = complete_url(url, options);
  const std::chrono::milliseconds patience = connect_timeout(url).value_or(options.connect_timeout);
  const std::vector<Host> hosts = each_host(url);
  return first_of(hosts.size(), deadline, [&](std::size_t index, Deadline until) {
    // The resolver's time is not the server's: to answer late is no failure of a server.
    const auto begin = std::chrono::steady_clock::now();
    const std::vector<std::string> addresses = addresses_of(hosts[index].name);
    const auto now = std::chrono::steady_clock::now();
    const auto share = std::min(deadline - now, until - begin);
    return open_host(text, hosts[index], addresses,
                     now + std::min<Deadline::duration>(share, patience));
  });
}

}  // namespace accounting::sql
