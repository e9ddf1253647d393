// Socket wait: the wait for bytes with an end, which the standard library does not have.
#pragma once

#include <chrono>

namespace accounting::platform {

/// Waits until something can be read from the socket, or it has failed; false where neither came
/// before `until`.
bool wait_until_readable(int socket, std::chrono::steady_clock::time_point until) noexcept;

}  // namespace accounting::platform
