// Sudden death: a process that kills itself in the middle of what SQLite writes.
#pragma once

#include <cstdint>

namespace accounting::testing {

/// From now on: SQLite's write with this number, counted from 1, is the last thing that the process
/// does, and it does it by half.
void die_at_write(std::int64_t number);

}  // namespace accounting::testing
