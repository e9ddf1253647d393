// A network of half a millisecond each way, on one machine.
#include "cases.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace accounting::bench {
namespace {

using Clock = std::chrono::steady_clock;

/// One direction: what arrives is passed on that much later, and what follows does not wait for it.
class DelayLine {
 public:
  DelayLine(int from, int to, std::chrono::microseconds delay)
      : from_(from), to_(to), delay_(delay) {}

  void take() {
    std::array<char, 65'536> bytes{};
    while (true) {
      const auto size = recv(from_, bytes.data(), bytes.size(), 0);
      const std::lock_guard lock(mutex_);
      // An empty one says that nothing follows.
      chunks_.push_back({Clock::now() + delay_,
                         std::string(bytes.data(), size > 0 ? static_cast<std::size_t>(size) : 0)});
      arrived_.notify_one();
      if (size <= 0) {
        return;
      }
    }
  }

  void pass_on() {
    while (true) {
      const Chunk chunk = next();
      std::this_thread::sleep_until(chunk.due);
      if (chunk.bytes.empty() || !send_all(chunk.bytes)) {
        shutdown(to_, SHUT_WR);
        shutdown(from_, SHUT_RD);
        return;
      }
    }
  }

 private:
  struct Chunk {
    Clock::time_point due;
    std::string bytes;
  };

  Chunk next() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return !chunks_.empty(); });
    Chunk chunk = std::move(chunks_.front());
    chunks_.pop_front();
    return chunk;
  }

  bool send_all(const std::string& bytes) const {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const auto size = send(to_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (size <= 0) {
        return false;
      }
      sent += static_cast<std::size_t>(size);
    }
    return true;
  }

  int from_;
  int to_;
  std::chrono::microseconds delay_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Chunk> chunks_;
};

void send_at_once(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

sockaddr_in local_address(std::int64_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int connect_to(std::int64_t port) {
  const int server = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = local_address(port);
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    throw std::runtime_error("the proxy does not reach the server");
  }
  return server;
}

void serve(int client, const Settings& settings) {
  const int server = connect_to(settings.port);
  const std::chrono::microseconds delay(settings.delay);
  send_at_once(client);
  send_at_once(server);
  DelayLine there(client, server, delay);
  DelayLine back(server, client, delay);
  std::array threads = {std::thread([&] { there.take(); }), std::thread([&] { there.pass_on(); }),
                        std::thread([&] { back.take(); }), std::thread([&] { back.pass_on(); })};
  for (std::thread& thread : threads) {
    thread.join();
  }
  close(client);
  close(server);
}

/// A listening socket; prints its port.
int listen_somewhere() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = local_address(0);
  socklen_t length = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, any, length) != 0 || listen(listener, 64) != 0 ||
      getsockname(listener, any, &length) != 0) {
    throw std::runtime_error("the proxy cannot listen");
  }
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return listener;
}

}  // namespace

void serve_proxy(const Settings& settings) {
  // Else the system may let a sleeper sleep 50 microseconds longer than it asked for.
  prctl(PR_SET_TIMERSLACK, 1);
  const int listener = listen_somewhere();
  std::array<pollfd, 2> ready = {{{listener, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
  while (poll(ready.data(), ready.size(), -1) > 0 && ready[1].revents == 0) {
    const int client = accept(listener, nullptr, nullptr);
    if (client >= 0) {
      std::thread([client, settings] { serve(client, settings); }).detach();
    }
  }
  // Connections may be open still, and their threads at work: nothing of theirs is to be kept.
  std::_Exit(0);
}

}  // namespace accounting::bench
