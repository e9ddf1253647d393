// How a session with a PostgreSQL server comes to be: in time, by whichever host and address
// answers, and with a reason where none does.
#include "sql/postgresql_connect.hpp"

#include "samples.hpp"
#include "support/tcp_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <thread>

using namespace accounting;
using namespace accounting::sql;
using namespace accounting::testing;
using namespace std::chrono_literals;

namespace {

Deadline in(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

SqlError failure_of(const std::string& url, Deadline until = in(10s)) {
  return error_of([&] { connect_to_postgresql(parse_database_url(url), {}, until); });
}

/// Takes connections at an address and never says anything.
class SilentAddress {
 public:
  SilentAddress(const std::string& address, const std::string& port)
      : descriptor_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
    REQUIRE(inet_pton(AF_INET, address.c_str(), &name.sin_addr) == 1);
    REQUIRE(bind(descriptor_, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
    REQUIRE(listen(descriptor_, 8) == 0);
  }
  SilentAddress(const SilentAddress&) = delete;
  SilentAddress& operator=(const SilentAddress&) = delete;
  ~SilentAddress() { close(descriptor_); }

 private:
  int descriptor_;
};

/// Takes one connection, says something, and then something else again and again.
class ChattyServer {
 public:
  ChattyServer(std::string first, std::string again)
      : first_(std::move(first)),
        again_(std::move(again)),
        listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    REQUIRE(bind(listener_, reinterpret_cast<const sockaddr*>(&name), size) == 0);
    REQUIRE(listen(listener_, 1) == 0);
    REQUIRE(getsockname(listener_, reinterpret_cast<sockaddr*>(&name), &size) == 0);
    port_ = std::to_string(ntohs(name.sin_port));
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
  }
  ChattyServer(const ChattyServer&) = delete;
  ChattyServer& operator=(const ChattyServer&) = delete;
  ~ChattyServer() {
    thread_.request_stop();
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  [[nodiscard]] std::string url() const {
    return "postgresql://ada@127.0.0.1:" + port_ + "/books?sslmode=disable&gssencmode=disable";
  }

 private:
  void serve(const std::stop_token& stop) const {
    const int peer = accept(listener_, nullptr, nullptr);
    if (peer < 0) {
      return;
    }
    std::array<char, 4'096> heard{};
    static_cast<void>(recv(peer, heard.data(), heard.size(), 0));
    bool listens = send(peer, first_.data(), first_.size(), MSG_NOSIGNAL) > 0;
    while (listens && !stop.stop_requested()) {
      if (again_.empty()) {
        std::this_thread::sleep_for(10ms);
      } else {
        listens = send(peer, again_.data(), again_.size(), MSG_NOSIGNAL) > 0;
      }
    }
    close(peer);
  }

  std::string first_;
  std::string again_;
  int listener_;
  std::string port_;
  std::jthread thread_;
};

/// A message of the server's: its kind, its length, its content.
std::string message(char kind, const std::string& content) {
  const auto size = static_cast<std::uint32_t>(content.size() + 4);
  std::string text(1, kind);
  for (const int shift : {24, 16, 8, 0}) {
    text += static_cast<char>(size >> shift & 0xFFU);
  }
  return text + content;
}

/// What is written to standard error meanwhile.
std::string standard_error_of(const std::function<void()>& work) {
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::tmpfile());
  REQUIRE(file);
  std::fflush(stderr);
  const int before = dup(STDERR_FILENO);
  dup2(fileno(file.get()), STDERR_FILENO);
  try {
    work();
  } catch (...) {
    dup2(before, STDERR_FILENO);
    close(before);
    throw;
  }
  std::fflush(stderr);
  dup2(before, STDERR_FILENO);
  close(before);
  std::rewind(file.get());
  std::string text(10'000, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  return text;
}

}  // namespace

TEST_CASE("a URL whose query ends in a separator is connected to") {
  for (const auto& database : postgresql_databases()) {
    CAPTURE(database.name);
    const EmptyDatabase again{
        .name = database.name, .url = database.url + "&", .options = database.options};
    CHECK_NOTHROW(again.connect());
  }
}

TEST_CASE("for how long a host may leave unconfirmed what was sent is the option's") {
  const auto server = postgresql_url_or_skip();
  if (!server) {
    return;
  }
  const TcpProxy proxy(*server);  // the server itself may be had by way of a Unix socket only
  const auto handle = connect_to_postgresql(parse_database_url(proxy.url()),
                                            {.tcp_user_timeout = 4'321ms}, in(10s));
  unsigned milliseconds = 0;
  socklen_t size = sizeof milliseconds;
  REQUIRE(getsockopt(PQsocket(handle.get()), IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, &size) ==
          0);
  CHECK(milliseconds == 4'321);
}

TEST_CASE("why no session could be made is told, without a name or a password") {
  const auto server = postgresql_url_or_skip();
  if (!server) {
    return;
  }
  const auto with = [&](const std::string& name, const std::string& value) {
    return with_parameter(with_parameter(*server, "password", "hunter2"), name, value);
  };
  struct Case {
    std::string url;
    SqlErrorKind kind;
    std::string reason;
    std::string state;
  };
  using enum SqlErrorKind;
  const std::vector<Case> cases = {
      {"postgresql://ada:hunter2@127.0.0.1:1/books", unreachable,
       ": nothing listens at the host and port", ""},
      {"postgresql://ada:hunter2@no.such.host.invalid/books", unreachable,
       ": the host's name is unknown", ""},
      {"postgresql://ada:hunter2@/books?host=/no-such-folder", unreachable,
       ": there is no such socket", ""},
      {with("user", "no_such_role"), turned_away,
       ": the server does not admit the client or knows no such role", "28000"},
      {with("dbname", "no_such_database"), turned_away, ": the server knows no such database",
       "3D000"},
  };
  for (const Case& expected : cases) {
    CAPTURE(expected.reason);
    const SqlError error = failure_of(expected.url);
    CHECK(error.kind() == expected.kind);
    CHECK(error.what() == "no connection to the database could be made" + expected.reason);
    CHECK(error.state() == expected.state);
  }
}

TEST_CASE("of what libpq says the first refusal counts, wherever it stands") {
  using enum SqlErrorKind;
  struct Case {
    std::string message;
    SqlErrorKind kind;
    std::string state;
  };
  const std::string at = "connection to server at \"10.0.0.1\", port 5432 failed: ";
  const std::vector<Case> cases = {
      {at + "FATAL:  28P01\n", turned_away, "28P01"},
      {at + "FATAL:  28P01\n" + at + "FATAL:  28000\n", turned_away, "28P01"},
      {at + "FATAL:  28P01\npassword retrieved from file \"/home/ada/.pgpass\"\n", turned_away,
       "28P01"},
      {at + "FATAL:  53300\n", unreachable, "53300"},
      {at + "FATAL:  57P03\n", unreachable, "57P03"},
      {at + "Connection refused\n\tIs the server running on that host?\n", unreachable, ""},
      {at + "fe_sendauth: no password supplied\n", turned_away, ""},
      {"", unreachable, ""},
      {"28P01", unreachable, ""},
  };
  for (const Case& expected : cases) {
    CAPTURE(expected.message);
    const SqlError error = failed_connect(expected.message);
    CHECK(error.kind() == expected.kind);
    CHECK(error.state() == expected.state);
    CHECK(std::string(error.what()).find("10.0.0.1") == std::string::npos);
  }
}

TEST_CASE("a name that is slow to look up takes nothing of the server's time") {
  const auto server = postgresql_url_or_skip();
  if (!server) {
    return;
  }
  const TcpProxy proxy(*server);
  const auto url = with_parameter(proxy.url(), "host", "books.example");
  const auto slow = [](const std::string&) {
    std::this_thread::sleep_for(300ms);
    return std::vector<std::string>{"127.0.0.1"};
  };
  const Options options{.connect_timeout = 250ms};
  CHECK_NOTHROW(connect_to_postgresql(parse_database_url(url), options, in(10s), slow));
}

TEST_CASE("past the deadline no further host is looked up") {
  const DatabaseUrl url = parse_database_url("postgresql://ada@one.example,two.example/books");
  int asked = 0;
  CHECK(error_of([&] {
          connect_to_postgresql(url, {}, in(50ms), [&](const std::string&) {
            ++asked;
            std::this_thread::sleep_for(60ms);
            return std::vector<std::string>{"127.0.0.1"};
          });
        }).kind() == SqlErrorKind::unreachable);
  CHECK(asked == 1);
}

TEST_CASE("a server that is silent from the start is given up on at the deadline, or earlier") {
  const auto server = postgresql_url_or_skip();
  if (!server) {
    return;
  }
  TcpProxy proxy(*server);
  proxy.fall_silent();
  struct Case {
    std::string name;
    std::string url;
    std::chrono::milliseconds connect_timeout;
    std::chrono::milliseconds deadline;
    std::chrono::milliseconds expected;
  };
  const std::vector<Case> cases = {
      {"the deadline", proxy.url(), 1min, 300ms, 300ms},
      {"connect_timeout", proxy.url(), 250ms, 1min, 250ms},
      {"the URL's connect_timeout", with_parameter(proxy.url(), "connect_timeout", "1"), 1min, 1min,
       1s},
      {"the URL's, which means none", with_parameter(proxy.url(), "connect_timeout", "0"), 250ms,
       1min, 250ms},
  };
  for (const Case& each : cases) {
    CAPTURE(each.name);
    const Options options{.connect_timeout = each.connect_timeout};
    const auto begin = std::chrono::steady_clock::now();
    const SqlError error = error_of([&] {
      connect_to_postgresql(parse_database_url(each.url), options, begin + each.deadline);
    });
    const auto time = std::chrono::steady_clock::now() - begin;
    CHECK(error.kind() == SqlErrorKind::unreachable);
    CHECK(std::string(error.what()).ends_with(": the server did not answer in time"));
    CHECK(time >= each.expected);
    CHECK(time < each.expected + 900ms);  // "by more than a second"
  }
}

TEST_CASE("a server that talks without end is given up on in time") {
  using namespace std::string_literals;
  const std::string welcome = message('R', "\0\0\0\0"s);
  const std::string ready = message('Z', "I");
  const std::string notice = message('N', "SNOTICE\0C00000\0Mtalk\0\0"s);
  const std::string setting = message('S', "name\0value\0"s);
  const auto often = [](const std::string& text) {
    std::string all;
    for (int time = 0; time < 1'000; ++time) {
      all += text;
    }
    return all;
  };
  struct Case {
    std::string name;
    std::string first;
    std::string again;
  };
  const std::vector<Case> cases = {
      {"notices while connecting", welcome, often(notice)},
      {"settings while connecting", welcome, often(setting)},
      {"notices instead of an answer", welcome + ready, often(notice)},
      {"settings instead of an answer", welcome + ready, often(setting)},
      {"answers that do not end", welcome + ready, often(message('C', "SET\0"s))},
      {"a copy that nobody asked for", welcome + ready + message('G', "\0\0\0"s), ""},
  };
  for (const Case& each : cases) {
    CAPTURE(each.name);
    const ChattyServer server(each.first, each.again);
    const EmptyDatabase database{
        .name = "pipelined", .url = server.url(), .options = {.connect_timeout = 300ms}};
    const auto begin = std::chrono::steady_clock::now();
    CHECK(kind_of([&] { static_cast<void>(database.connect()); }) == SqlErrorKind::unreachable);
    CHECK(std::chrono::steady_clock::now() - begin < 300ms + 1s + 1s);  // once for each half
  }
}

TEST_CASE("the address of a host that answers is found behind silent ones") {
  const auto server = postgresql_url_or_skip();
  if (!server) {
    return;
  }
  const TcpProxy proxy(*server);
  const SilentAddress silent("127.0.0.2", proxy.port());
  const SilentAddress silent_too("127.0.0.3", proxy.port());
  const auto url = with_parameter(proxy.url(), "host", "books.example");
  std::vector<std::string> asked;
  const auto handle =
      connect_to_postgresql(parse_database_url(url), {}, in(1'500ms), [&](const std::string& host) {
        asked.push_back(host);
        return std::vector<std::string>{"127.0.0.2", "127.0.0.3", "127.0.0.1"};
      });
  CHECK(asked == std::vector<std::string>{"books.example"});
  CHECK(std::string(PQhost(handle.get())) == "books.example");
  CHECK(std::string(PQhostaddr(handle.get())) == "127.0.0.1");
}

TEST_CASE("a host that turns a client away ends the search, one that is down does not") {
  const auto server = postgresql_url_or_skip();
  if (!server) {
    return;
  }
  TcpProxy first(*server);
  const TcpProxy second(*server);
  const auto url = [&](const std::string& port) {
    return with_parameter(with_parameter(first.url(), "host", "127.0.0.1,127.0.0.1"), "port",
                          port + "," + second.port());
  };
  CHECK(failure_of(with_parameter(url(first.port()), "dbname", "no_such_database")).kind() ==
        SqlErrorKind::turned_away);
  CHECK(first.round_trips() == 1);
  CHECK(second.round_trips() == 0);
  CHECK_NOTHROW(connect_to_postgresql(parse_database_url(url("1")), {}, in(10s)));
  CHECK(second.round_trips() > 0);
}

TEST_CASE("what a server announces while it is connected to is not printed") {
  const auto server = postgresql_url_or_skip();
  if (!server) {
    return;
  }
  const auto url = with_parameter(*server, "options", "-c client_min_messages=debug5");
  CHECK(standard_error_of([&] { connect_to_postgresql(parse_database_url(url), {}, in(10s)); }) ==
        "");
}
