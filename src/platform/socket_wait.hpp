// Socket wait: the wait for a socket with an end, which the standard library does not have.
#pragma once

#include <chrono>

namespace accounting::platform {

enum class SocketWait { to_read, to_write, to_read_or_write };

/// Waits until the socket is ready for what is waited for, or has failed; false where neither came
/// before `until`.
bool wait_for_socket(int socket, SocketWait what,
                     std::chrono::steady_clock::time_point until) noexcept;

}  // namespace accounting::platform
