// Report: the day's figures for people and for programs.
#pragma once

#include "figures.hpp"
#include "shop.hpp"

#include <cstdint>
#include <iosfwd>
#include <string>

namespace chat_day {

/// Where the figures come from.
struct Origin {
  std::string trace;     ///< in words
  std::string database;  ///< in words, without a password
  std::uint64_t seed = 0;
};

void print_summary(std::ostream& out, const Figures& figures, const Origin& origin,
                   const Script& script, const Tenant& tenant);

/// One object on one line.
void print_json(std::ostream& out, const Figures& figures, const Origin& origin);

}  // namespace chat_day
