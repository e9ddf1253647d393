// Threads: which one is at work.
#pragma once

#include <cstdint>

namespace accounting::platform {

/// The calling thread's own number. Unlike a std::thread::id it is never given to a later thread; a
/// forked child's thread keeps that of the thread that forked.
std::uint64_t thread_number() noexcept;

}  // namespace accounting::platform
