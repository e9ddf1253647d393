#include "platform/socket_wait.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>

#ifdef _WIN32
#include <winsock2.h>
#else
#include <poll.h>
#endif

namespace accounting::platform {
namespace {

/// More than 0: something happened; 0: nothing in time; less: interrupted, or the socket is bad.
int poll_once(int socket, SocketWait what, int milliseconds) noexcept {
  const bool to_read = what != SocketWait::to_write;
  const bool to_write = what != SocketWait::to_read;
#ifdef _WIN32
  const int events = (to_read ? POLLRDNORM : 0) | (to_write ? POLLWRNORM : 0);
  WSAPOLLFD asked{static_cast<SOCKET>(socket), static_cast<SHORT>(events), 0};
  return WSAPoll(&asked, 1, milliseconds);
#else
  const int events = (to_read ? POLLIN : 0) | (to_write ? POLLOUT : 0);
  pollfd asked{.fd = socket, .events = static_cast<short>(events), .revents = 0};
  return poll(&asked, 1, milliseconds);
#endif
}

}  // namespace

bool wait_for_socket(int socket, SocketWait what,
                     std::chrono::steady_clock::time_point until) noexcept {
  using std::chrono::milliseconds;
  constexpr std::int64_t longest = 3'600'000;
  while (true) {
    const auto now = std::chrono::steady_clock::now();
    // Compared first: the span to an instant without end does not fit into milliseconds.
    const std::int64_t left = until <= now ? 0
                              : until - now > milliseconds(longest)
                                  ? longest
                                  : std::chrono::ceil<milliseconds>(until - now).count();
    const int answer =
        poll_once(socket, what, static_cast<int>(std::clamp<std::int64_t>(left, 0, longest)));
    if (answer > 0 || (answer < 0 && errno != EINTR)) {
      return true;  // reading or writing then tells what is wrong with it
    }
    if (answer == 0 && left < longest) {
      return false;
    }
  }
}

}  // namespace accounting::platform
