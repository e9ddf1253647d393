#include "sql/postgresql_connect.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <new>
#include <string>
#include <string_view>
#include <utility>
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
  add("connect_timeout", std::to_string(seconds_to_connect(options, deadline, hosts)));
  add("fallback_application_name", "accounting");
  add("keepalives_idle", "10");
  add("keepalives_interval", "5");
  add("keepalives_count", "3");
  add("tcp_user_timeout", milliseconds_text(options.tcp_user_timeout));
  // The last ones, whatever the URL says.
  text += which;
  text += "&client_encoding=UTF8";  // texts are UTF-8
  return text;
}

/// What libpq says about a failed connect may name hosts and roles; these pieces may be told on.
SqlError unreachable(std::string_view message) {
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
      text += ": " + std::string(reason);
      break;
    }
  }
  return {SqlErrorKind::unreachable, text};
}

/// Throws SqlError.
PostgresqlHandle open(const std::string& text) {
  PostgresqlHandle handle(PQconnectdb(text.c_str()));
  if (!handle) {
    throw std::bad_alloc();
  }
  if (PQstatus(handle.get()) != CONNECTION_OK) {
    throw unreachable(PQerrorMessage(handle.get()));
  }
  return handle;
}

}  // namespace

std::string milliseconds_text(std::chrono::milliseconds time) {
  return std::to_string(std::clamp<std::int64_t>(time.count(), 0, 2'147'483'647));
}

PostgresqlHandle connect_to_postgresql(const DatabaseUrl& url, const Options& options,
                                       Deadline deadline) {
  const std::vector<std::string> hosts = each_host(url);
  const auto open_one_of = [&](std::size_t count, const std::string& which) {
    return open(connect_string(url, options, deadline, count, which));
  };
  if (hosts.size() == 1 ||
      left_until(deadline) >= least_to_connect * static_cast<std::int64_t>(hosts.size())) {
    return open_one_of(hosts.size(), {});
  }
  // libpq would wait for each, past the deadline.
  for (std::size_t index = 0;; ++index) {
    try {
      return open_one_of(hosts.size() - index, hosts[index]);
    } catch (const SqlError&) {
      // What libpq waits at least is to end within a second of the deadline.
      const auto last_moment = deadline - least_to_connect + std::chrono::seconds(1);
      if (index + 1 == hosts.size() || std::chrono::steady_clock::now() > last_moment) {
        throw;
      }
    }
  }
}

}  // namespace accounting::sql
