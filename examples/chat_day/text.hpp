// Numbers and instants, as people like to read them.
#pragma once

#include <accounting/types.hpp>

#include <cstdint>
#include <string>

namespace chat_day {

/// "1,234,567"
std::string number_text(std::int64_t number);

/// With so many digits after the point: "41.27".
std::string decimal_text(double number, int digits);

/// "2023-11-16 18:15:46", in UTC.
std::string time_text(accounting::Timestamp time);

}  // namespace chat_day
