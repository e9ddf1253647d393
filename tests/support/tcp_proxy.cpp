#include "support/tcp_proxy.hpp"

#include "support/databases.hpp"
#include "support/wire.hpp"

#include <libpq-fe.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace accounting::testing {
namespace {

constexpr std::chrono::seconds longest_silence{20};

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(descriptor_); }
  [[nodiscard]] int get() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

int connect_by_unix(const std::string& folder, const std::string& port) {
  const int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = folder + "/.s.PGSQL." + port;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  if (connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    close(descriptor);
    return -1;
  }
  return descriptor;
}

int connect_to(const std::string& host, const std::string& port) {
  if (host.substr(0, 1) == "/") {
    return connect_by_unix(host, port);
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) {
    return -1;
  }
  int descriptor = -1;
  for (auto* one = found; one != nullptr && descriptor < 0; one = one->ai_next) {
    descriptor = socket(one->ai_family, one->ai_socktype, one->ai_protocol);
    if (descriptor >= 0 && connect(descriptor, one->ai_addr, one->ai_addrlen) != 0) {
      close(descriptor);
      descriptor = -1;
    }
  }
  freeaddrinfo(found);
  return descriptor;
}

bool send_all(int to, const char* bytes, std::size_t size) {
  while (size > 0) {
    const auto sent = send(to, bytes, size, MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

/// Lets clients send little ahead, as over a network: on the loopback it would be megabytes.
void keep_buffers_small(int listener) {
  const int window = 32'768;
  const int segment = 1'400;
  setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
  setsockopt(listener, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof(segment));
}

/// The parts of a URL, by libpq's own rules.
class Conninfo {
 public:
  explicit Conninfo(const std::string& url) : options_(PQconninfoParse(url.c_str(), nullptr)) {
    if (!options_) {
      throw std::runtime_error("not a PostgreSQL URL");
    }
  }
  [[nodiscard]] std::string get(const char* keyword, const std::string& missing) const {
    for (const auto* option = options_.get(); option->keyword != nullptr; ++option) {
      if (std::strcmp(option->keyword, keyword) == 0 && option->val != nullptr) {
        return option->val;
      }
    }
    return missing;
  }

 private:
  struct Free {
    void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
  };
  std::unique_ptr<PQconninfoOption, Free> options_;
};

}  // namespace

TcpProxy::TcpProxy(const std::string& server_url) {
  const Conninfo parts(server_url);
  server_host_ = parts.get("host", "localhost");
  server_port_ = parts.get("port", "5432");
  listener_ = socket(AF_INET, SOCK_STREAM, 0);
  keep_buffers_small(listener_);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      listen(listener_, 16) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::runtime_error("the proxy cannot listen");
  }
  port_ = std::to_string(ntohs(address.sin_port));
  // A parameter of the query wins over what stands before it.
  url_ = with_parameter(server_url, "host", "127.0.0.1");
  url_ = with_parameter(url_, "port", port_);
  url_ = with_parameter(with_parameter(url_, "sslmode", "disable"), "gssencmode", "disable");
  acceptor_ = std::thread([this] { accept_clients(); });
}

TcpProxy::~TcpProxy() {
  closing_ = true;
  acceptor_.join();
  for (auto& servant : servants_) {
    servant.join();
  }
  close(listener_);
}

std::vector<std::string> TcpProxy::take_statements() {
  const std::lock_guard lock(mutex_);
  return std::exchange(statements_, {});
}

void TcpProxy::keep(const std::string& statement) {
  if (keeps_statements_) {
    const std::lock_guard lock(mutex_);
    statements_.push_back(statement);
  }
}

void TcpProxy::accept_clients() {
  while (!closing_) {
    pollfd ready{listener_, POLLIN, 0};
    if (poll(&ready, 1, 20) == 1) {
      const int client = accept(listener_, nullptr, nullptr);
      if (client >= 0) {
        servants_.emplace_back([this, client] { serve(client); });
      }
    }
  }
}

void TcpProxy::serve(int client_descriptor) {
  const Socket client(client_descriptor);
  const Socket server(connect_to(server_host_, server_port_));
  std::array<char, 65'536> bytes{};
  using namespace std::string_view_literals;
  constexpr auto commit = "COMMIT\0"sv;  // to its end, since READ COMMITTED is none
  auto mode = AtCommit::pass;
  bool server_spoke_last = true;
  auto silent_since = Clock::time_point::max();
  WireReader wire;
  while (!closing_) {
    const auto now = Clock::now();
    if (is_silent()) {
      silent_since = std::min(silent_since, now);
      silent_since_ = std::min(silent_since_.load(), now);
    }
    if (silent_since <= now && (!is_silent() || now - silent_since > longest_silence)) {
      return;
    }
    if (!reads()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      continue;
    }
    std::array<pollfd, 2> ready = {{{client.get(), POLLIN, 0}, {server.get(), POLLIN, 0}}};
    if (poll(ready.data(), ready.size(), 10) <= 0) {
      continue;
    }
    // A client that sends without a pause hears the server all the same.
    const bool from_client = ready[1].revents == 0;
    const auto& source = from_client ? client : server;
    const auto& target = from_client ? server : client;
    const auto size = recv(source.get(), bytes.data(), bytes.size(), 0);
    if (size <= 0) {
      return;
    }
    if (from_client && server_spoke_last) {
      ++round_trips_;
    }
    server_spoke_last = !from_client;
    if (round_trips_ > silent_from_) {
      continue;
    }
    if (from_client) {
      bytes_from_clients_ += size;
    }
    const std::string_view text(bytes.data(), static_cast<std::size_t>(size));
    if (from_client) {
      wire.take(text, [this](const std::string& statement) { keep(statement); });
    }
    if (from_client && text.find(commit) != std::string_view::npos && --others_first_ < 0) {
      mode = once_ ? at_commit_.exchange(AtCommit::pass) : at_commit_.load();
      faults_ += mode == AtCommit::pass ? 0 : 1;
    }
    if (mode == AtCommit::drop || (mode == AtCommit::drop_answer && !from_client)) {
      return;
    }
    if (mode == AtCommit::hold_answer && !from_client) {
      continue;
    }
    if (mode == AtCommit::close_to_client && from_client) {
      shutdown(client.get(), SHUT_WR);
    }
    std::this_thread::sleep_for(delay_.load());
    const bool first_byte_only =
        (mode == AtCommit::cut_answer || mode == AtCommit::stall_answer) && !from_client;
    if (!send_all(target.get(), bytes.data(), first_byte_only ? 1 : text.size()) ||
        (first_byte_only && mode == AtCommit::cut_answer)) {
      return;
    }
    if (mode == AtCommit::close_to_server && from_client) {
      shutdown(server.get(), SHUT_WR);
    }
    const bool answers_no_more = first_byte_only || (mode == AtCommit::close_to_client);
    mode = answers_no_more ? AtCommit::hold_answer : mode;
  }
}

}  // namespace accounting::testing
