// The warm-up: whatever a connection will ever prepare, it prepares before something is measured.
#pragma once

#include "client.hpp"
#include "settings.hpp"

#include <string>

namespace accounting::testing {

/// Makes every kind of call on each connection of the books: alone and together with others, over
/// what is remembered and over what has to be loaded, free and held.
Tally warm_up(Accounting& books, const WorkerSettings& settings);

/// Begins a session on each connection of the books, and ends it. Its id has `label` after the
/// worker's name, by which a trigger on the server tells it from those of the work.
Tally show_connections(Accounting& books, const WorkerSettings& settings, const std::string& label);

}  // namespace accounting::testing
