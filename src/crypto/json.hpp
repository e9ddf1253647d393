// JSON objects from strangers, read strictly.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace accounting::crypto {

enum class JsonFault { none, malformed, too_deep, duplicate_member };

struct JsonReading {
  nlohmann::json value;  ///< an object where there is no fault
  JsonFault fault = JsonFault::none;
};

/// Reads one JSON object in UTF-8 of at most 8 levels, with nothing before or after it but blanks,
/// without duplicate members and without NUL.
JsonReading read_json_object(std::string_view text);

/// What is wrong, to follow a name: "has a member twice".
std::string_view to_string(JsonFault fault) noexcept;

/// The text in quotes on one line of ASCII, cut where it is long: fit for a message.
std::string in_quotes(std::string_view text);

}  // namespace accounting::crypto
