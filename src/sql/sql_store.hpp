// SqlStore: a database as the services' store.
#pragma once

#include "accounting/options.hpp"
#include "store/store.hpp"

#include <memory>

namespace accounting::sql {

/// Opens the database that the options name. Connects when first used. Throws InvalidArgument.
std::shared_ptr<store::Store> open_store(const Options& options);

}  // namespace accounting::sql
