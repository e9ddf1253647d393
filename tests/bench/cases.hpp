// The cases: each makes its calls in a loop and answers what came of it.
#pragma once

#include "callers.hpp"
#include "settings.hpp"

#include <string>

namespace accounting::bench {

Figures charge(const Settings& settings);
/// `batch` charges a call.
Figures charge_many(const Settings& settings);
/// initialize, report and finalize: one operation.
Figures session(const Settings& settings);
Figures balance(const Settings& settings);
Figures check(const Settings& settings);
Figures user_stats(const Settings& settings);
Figures system_stats(const Settings& settings);
/// The ledger's decisions over state in memory, `batch` charges at a time: no database.
Figures engine(const Settings& settings);
Figures hash_chain(const Settings& settings);

// What the cases are compared with.

/// SQLite's own transaction of two writes.
Figures sqlite_floor(const Settings& settings);
/// The five rows of a charge, `batch` charges in a transaction of SQLite's own; in a file that
/// `prepare` has made.
Figures sqlite_rows(const Settings& settings);
/// A prepared `SELECT 1`: one round trip.
Figures round_trip(const Settings& settings);

/// Whether what the library commits is on disk, by the word of the database itself: JSON.
std::string durability(const Settings& settings);

/// A TCP proxy in front of a server on this machine that takes its time each way. Prints its port,
/// and ends with its standard input.
void serve_proxy(const Settings& settings);

}  // namespace accounting::bench
