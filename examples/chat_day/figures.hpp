// Figures: what a day came to, collected from the answers of the library.
#pragma once

#include "script.hpp"

#include <accounting/types.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace chat_day {

struct Tally {
  std::int64_t requests = 0;  ///< that were not refused
  std::int64_t credits = 0;   ///< used
};

struct Figures {
  std::int64_t requests = 0;  ///< completed + aborted + refused
  std::int64_t completed = 0;
  std::int64_t aborted = 0;   ///< the client hung up, with or without a goodbye
  std::int64_t vanished = 0;  ///< of the aborted: without one, so that the session expired
  std::int64_t refused = 0;   ///< for lack of credits

  std::int64_t allocated = 0;    ///< credits given to users
  std::int64_t reserved = 0;     ///< held, at the beginning of sessions and by extensions
  std::int64_t overage = 0;      ///< used beyond what was held
  std::int64_t used = 0;         ///< what all sessions cost
  std::int64_t refunded = 0;     ///< held and not used
  std::int64_t uncollected = 0;  ///< of the overage: what no balance covered
  std::int64_t expired = 0;      ///< not used in time, at the end of the day
  std::int64_t remaining = 0;    ///< left to users at the end of the day

  std::int64_t extensions = 0;
  std::int64_t extensions_refused = 0;  ///< for lack of credits; the answer went on
  std::int64_t most_at_once = 0;        ///< sessions
  std::int64_t calls = 0;               ///< of the library, for sessions

  std::map<std::int64_t, Tally> by_user;  ///< by rank; refused users too
  std::array<Tally, models.size()> by_model = {};

  std::int64_t entries_verified = 0;
  std::vector<std::string> problems;  ///< none: the books balance
  double seconds = 0;
};

}  // namespace chat_day
