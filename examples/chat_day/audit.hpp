// Audit: at the end of the day, whether the figures that the service saw and the books agree.
#pragma once

#include "figures.hpp"
#include "shop.hpp"

#include <accounting/accounting.hpp>

namespace chat_day {

/// Reads from the books what expired and what remains, and notes every problem in the figures: a
/// sum that does not come out, and what `verify` finds.
void close_day(const accounting::Accounting& books, const Tenant& tenant, Figures& figures);

}  // namespace chat_day
