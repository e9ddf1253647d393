// Host addresses: what a host's name stands for, which the standard library cannot look up.
#pragma once

#include <string>
#include <vector>

namespace accounting::platform {

/// The numeric addresses of a host, in the order in which the system would try them; none where the
/// name is empty or unknown. Takes as long as the system's resolver does.
std::vector<std::string> addresses_of(const std::string& host);

}  // namespace accounting::platform
