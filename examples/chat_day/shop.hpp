// Shop: what the service sells: models at a price, and credits in packages that expire.
//
// A credit is a thousandth of a US cent here. Prices are of the size that is usual for models.
#pragma once

#include "script.hpp"

#include <accounting/accounting.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace chat_day {

/// Puts the models' prices on the books. Harmless where an earlier run has done so.
void set_prices(accounting::Accounting& books);

/// The run's own corner of the books, so that a database may hold any number of runs.
struct Tenant {
  std::string name;  ///< "chat-day-1": the account that gives the credits, and every user's prefix

  [[nodiscard]] std::string user_id(std::int64_t rank) const;
};

/// Claims the first tenant that no run has taken yet; of two runs at once, each gets its own.
Tenant open_tenant(accounting::Accounting& books);

/// Opens an account for every user of the script and sells them their packages, at the books'
/// present time. Answers the credits allocated.
std::int64_t sell_packages(accounting::Accounting& books, const Tenant& tenant,
                           const Script& script);

}  // namespace chat_day
