// Calls whose waiting is measured, and books that wait for anything until their calls' deadline.
#pragma once

#include "support/books.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <utility>

namespace accounting::testing {

constexpr std::chrono::milliseconds kCallTimeout =
    std::chrono::seconds(2);  // the shortest there is

struct Timed {
  std::string outcome;
  std::chrono::milliseconds time = {};
};

inline Timed timed(const std::function<void()>& call) {
  const auto begin = std::chrono::steady_clock::now();
  std::string outcome = outcome_of(call);
  return {std::move(outcome), std::chrono::duration_cast<std::chrono::milliseconds>(
                                  std::chrono::steady_clock::now() - begin)};
}

/// Of books whose own timeouts are all longer than the call's.
inline Options patient(Options options) {
  constexpr std::chrono::minutes long_enough(1);
  options.pool_size = 1;
  options.call_timeout = kCallTimeout;
  options.pool_timeout = long_enough;
  options.connect_timeout = long_enough;
  options.statement_timeout = long_enough;
  options.lock_timeout = long_enough;
  return options;
}

}  // namespace accounting::testing
