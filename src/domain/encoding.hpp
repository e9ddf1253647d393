// Encoding: the JSON text of values that are stored as a whole, and of the answers behind
// idempotency keys. The texts are part of the schema: old ones must stay readable.
#pragma once

#include "domain/command.hpp"
#include "domain/state.hpp"

#include <string>
#include <string_view>

namespace accounting::domain {

/// `1200`, or `{"cached_input":0,"input":900,"output":300}`.
std::string encode_tokens(const Tokens& tokens);
Tokens decode_tokens(std::string_view text);

std::string encode_prices(const TokenPrices& prices);
TokenPrices decode_prices(std::string_view text);

std::string encode_policy(const PinnedPolicy& policy);
PinnedPolicy decode_policy(std::string_view text);

/// The part of an answer that its command does not say, and the journal entry that the command
/// ended with, where it wrote one.
std::string encode_answer(const Answer& answer,
                          std::optional<std::int64_t> last_entry = std::nullopt);
/// The answer that `command` was given the first time.
Answer decode_answer(std::string_view text, const Command& command);

/// The metadata of a session's usage record.
std::string session_metadata(const SessionRecord& record, const Tokens& tokens, Timestamp ended);

/// The name of a command's operation: "allocate", "deduct", "charge", "record", "extend", …
std::string_view operation_name(const Action& action);

}  // namespace accounting::domain
