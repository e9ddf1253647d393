// Verify: the proof that the books balance, over all rows, in one snapshot.
#pragma once

#include "services/context.hpp"

namespace accounting::services {

VerifyReport verify(const Context& context);

}  // namespace accounting::services
