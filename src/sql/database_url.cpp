#include "sql/database_url.hpp"

#include "accounting/error.hpp"
#include "sql/postgresql_connection.hpp"
#include "sql/sqlite_connection.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace accounting::sql {
namespace {

constexpr std::string_view sqlite_scheme = "sqlite://";

[[noreturn]] void refuse(const std::string& expected) {
  throw InvalidArgument("database", expected);
}

bool starts_with(std::string_view text, std::string_view start) noexcept {
  return text.substr(0, start.size()) == start;
}

bool has_control_character(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded += text[at];
      continue;
    }
    unsigned value = 0;
    const auto digits = text.substr(at + 1, 2);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || parsed.ptr != digits.data() + 2 || parsed.ec != std::errc()) {
      refuse("each % in a SQLite path followed by two hexadecimal digits");
    }
    decoded += static_cast<char>(value);
    at += 2;
  }
  return decoded;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    if (plain) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', digits[byte / 16], digits[byte % 16]};
    }
  }
  return encoded;
}

DatabaseUrl sqlite_url(std::string_view rest) {
  DatabaseUrl result{.kind = DatabaseKind::sqlite, .in_memory = true, .path = {}, .url = {}};
  if (rest.empty()) {
    return result;
  }
  if (rest.front() != '/' || rest.find_first_of("?#") != std::string_view::npos) {
    refuse("sqlite:///path without a host or options (a ? or # in a path as %3F or %23)");
  }
  const auto path = percent_decoded(rest.substr(1));
  if (path == ":memory:") {
    return result;
  }
  if (path.empty()) {
    refuse("a path after sqlite:///, or sqlite:// for a database in memory");
  }
  // SOCI has no way to escape a quote or a leading space in its connection string.
  if (has_control_character(path) || path.find('"') != std::string::npos || path.front() == ' ') {
    refuse("a SQLite path without control characters, double quotes or a leading space");
  }
  result.in_memory = false;
  result.path = path;
  return result;
}

struct FreeConninfo {
  void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};
using Conninfo = std::unique_ptr<PQconninfoOption, FreeConninfo>;

DatabaseUrl postgresql_url(const std::string& url) {
  char* complaint = nullptr;
  const Conninfo parsed(has_control_character(url) ? nullptr
                                                   : PQconninfoParse(url.c_str(), &complaint));
  // The complaint may quote the password, so it goes no further.
  PQfreemem(complaint);
  if (!parsed) {
    refuse("a PostgreSQL URL that libpq understands, with special characters percent-encoded");
  }
  return {.kind = DatabaseKind::postgresql, .in_memory = false, .path = {}, .url = url};
}

/// A parameter's value; nullptr where there is none.
const char* value_of(const Conninfo& parameters, std::string_view keyword) noexcept {
  for (const auto* option = parameters.get(); option->keyword != nullptr; ++option) {
    if (option->keyword == keyword) {
      return option->val;
    }
  }
  return nullptr;
}

std::vector<std::string> cut_at_commas(std::string_view list) {
  std::vector<std::string> values(1);
  for (const char c : list) {
    if (c == ',') {
      values.emplace_back();
    } else {
      values.back() += c;
    }
  }
  return values;
}

/// A directory with a socket, or an abstract one; an empty name stands for libpq's own.
bool is_socket(const std::string& host) {
  return host.empty() || host.front() == '/' || host.front() == '@';
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

/// Only then are libpq's defaults asked for: it looks up the operating system's user for them.
bool environment_names_hosts() {
  constexpr std::array names = {"PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE"};
  return std::ranges::any_of(names, [](const char* name) { return !variable(name).empty(); });
}

std::string port_or_default(const std::string& port) {
  if (port.empty()) {
    return "5432";
  }
  unsigned number = 0;
  const auto* end = port.data() + port.size();
  const auto parsed = std::from_chars(port.data(), end, number);
  if (parsed.ptr != end || parsed.ec != std::errc() || number == 0 || number > 65'535) {
    refuse("DB_PORT as a number from 1 to 65535");
  }
  return port;
}

}  // namespace

DatabaseUrl parse_database_url(const std::string& url) {
  if (starts_with(url, sqlite_scheme)) {
    return sqlite_url(std::string_view(url).substr(sqlite_scheme.size()));
  }
  if (starts_with(url, "postgresql://") || starts_with(url, "postgres://")) {
    return postgresql_url(url);
  }
  refuse("a URL that begins with sqlite:// or postgresql://");
}

std::string one_parameter(const std::string& keyword, const std::string& value) {
  return '&' + keyword + '=' + percent_encoded(value);
}

std::vector<Host> each_host(const DatabaseUrl& url) {
  std::vector<Host> only_one(1);
  const Conninfo parsed(PQconninfoParse(url.url.c_str(), nullptr));
  if (!parsed || value_of(parsed, "service") != nullptr) {
    return only_one;  // a service's hosts come before those of the environment
  }
  const Conninfo defaults = environment_names_hosts() ? Conninfo(PQconndefaults()) : nullptr;
  const auto values_of = [&](const char* keyword) {
    const char* list = value_of(parsed, keyword);
    if (list == nullptr && defaults) {
      list = value_of(defaults, keyword);
    }
    return list == nullptr ? std::vector<std::string>() : cut_at_commas(list);
  };
  const std::vector<std::string> names = values_of("host");
  const std::vector<std::string> addresses = values_of("hostaddr");
  const std::vector<std::string> ports = values_of("port");
  const std::size_t count = std::max(names.size(), addresses.size());
  // Where numbers differ, libpq says what is wrong. A single port is every host's.
  if ((!names.empty() && names.size() != count) ||
      (!addresses.empty() && addresses.size() != count) ||
      (ports.size() > 1 && ports.size() != count) || count == 0) {
    return only_one;
  }
  std::vector<Host> hosts(count);
  for (std::size_t index = 0; index < names.size(); ++index) {
    const bool has_address = !addresses.empty() && !addresses[index].empty();
    hosts[index].name = has_address || is_socket(names[index]) ? "" : names[index];
  }
  if (count == 1) {
    return hosts;
  }
  const auto add = [&](const std::string& keyword, const std::vector<std::string>& values) {
    for (std::size_t index = 0; index < values.size(); ++index) {
      hosts[index].parameters += one_parameter(keyword, values[index]);
    }
  };
  add("host", names);
  add("hostaddr", addresses);
  if (ports.size() > 1) {
    add("port", ports);
  }
  return hosts;
}

std::optional<std::chrono::milliseconds> connect_timeout(const DatabaseUrl& url) {
  const Conninfo parsed(PQconninfoParse(url.url.c_str(), nullptr));
  const char* text = parsed ? value_of(parsed, "connect_timeout") : nullptr;
  std::int64_t seconds = 0;
  const std::string_view digits = text == nullptr ? "" : text;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() || seconds <= 0) {
    return std::nullopt;
  }
  return std::chrono::seconds(std::min<std::int64_t>(seconds, 86'400));
}

std::string database_url_from_environment() {
  if (auto url = variable("ACCOUNTING_DATABASE_URL"); !url.empty()) {
    return url;
  }
  const auto host = variable("DB_HOST");
  const auto port = variable("DB_PORT");
  const auto name = variable("DB_NAME");
  const auto user = variable("DB_USER");
  const auto password = variable("DB_PASSWORD");
  if (host.empty() && port.empty() && name.empty() && user.empty() && password.empty()) {
    refuse("a URL, or ACCOUNTING_DATABASE_URL or DB_HOST in the environment");
  }
  std::string url = "postgresql://" + percent_encoded(user);
  if (!password.empty()) {
    url += ':' + percent_encoded(password);
  }
  if (!user.empty() || !password.empty()) {
    url += '@';
  }
  url += percent_encoded(host.empty() ? "localhost" : host) + ':' + port_or_default(port);
  return name.empty() ? url : url + '/' + percent_encoded(name);
}

std::unique_ptr<Connection> connect(const DatabaseUrl& url, const Options& options,
                                    Deadline deadline) {
  if (url.kind == DatabaseKind::sqlite) {
    return std::make_unique<SqliteConnection>(url, options, deadline);
  }
  return std::make_unique<PostgresqlConnection>(url, options, deadline);
}

}  // namespace accounting::sql
