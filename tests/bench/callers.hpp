// Callers: threads that make the same call again and again, and what came of it.
#pragma once

#include "settings.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace accounting::bench {

struct Figures {
  std::int64_t operations = 0;
  double seconds = 0;  ///< in which they were made
  double p50 = 0;      ///< microseconds a call
  double p99 = 0;      ///< microseconds a call
  std::int64_t failures = 0;
  std::string failure;  ///< what the first of them said
};

/// One call, made again and again by one thread.
using Call = std::function<void()>;

/// Lets `callers` threads call for the time to warm up and then for the seconds that count.
/// `make_call` is asked once for each thread, by the number of the caller. A call makes
/// `operations` operations. What a call throws is counted as a failure.
Figures measure(const Settings& settings, const std::function<Call(std::int64_t)>& make_call,
                std::int64_t operations = 1);

/// One line of JSON.
std::string to_json(const Figures& figures);

}  // namespace accounting::bench
