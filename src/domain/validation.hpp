// Validation: what an argument may be, checked before anything is looked up. Every function throws
// InvalidArgument, which names the argument and says what was expected.
#pragma once

#include "accounting/options.hpp"
#include "accounting/types.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace accounting::domain {

inline constexpr std::int64_t largest_credits = 1'000'000'000'000'000;
inline constexpr std::int64_t largest_tokens = 1'000'000'000'000;
inline constexpr std::int64_t largest_days = 1'000'000;
inline constexpr std::int64_t largest_buffer = 1'000'000;
inline constexpr std::int64_t largest_page_limit = 1'000;
inline constexpr std::size_t largest_metadata = 64 * 1024;

/// 1970-01-01T00:00:00Z and the last microsecond of 9999, the instants that both databases hold.
inline constexpr Timestamp earliest_instant{};
inline constexpr Timestamp latest_instant{std::chrono::microseconds{253'402'300'799'999'999}};

/// UTF-8 without NUL of at most `longest` bytes.
void check_text(std::string_view argument, std::string_view text, std::size_t longest);
/// The same, and not empty.
void check_name(std::string_view argument, std::string_view text, std::size_t longest);

void check_user_id(std::string_view text, std::string_view argument = "user_id");
void check_session_id(std::string_view text);
void check_model_id(std::string_view text);
void check_service(std::string_view text);
void check_operation(std::string_view text);
void check_notes(std::string_view text);
void check_idempotency_key(const std::optional<std::string>& key);

void check_range(std::string_view argument, std::int64_t value, std::int64_t smallest,
                 std::int64_t largest);
void check_credits(std::int64_t credits);
void check_tokens(std::string_view argument, const Tokens& tokens);
void check_page(std::int64_t page, std::int64_t limit);
void check_limit(std::int64_t limit);
/// A place in a list to go on from.
void check_after(std::int64_t after);
void check_instant(std::string_view argument, const std::optional<Timestamp>& instant);
/// `start` ≤ `end` where both are given.
void check_time_range(const std::optional<Timestamp>& start, const std::optional<Timestamp>& end);

/// The metadata as canonical JSON text: members sorted, no blanks. Refuses what is not JSON, more
/// than 64 KiB, more than 64 levels, duplicate members, NUL in strings, and integers that 64 bits
/// cannot hold.
std::optional<std::string> canonical_metadata(const std::optional<std::string>& metadata);

void check_policy(const Policy& policy);
void check_options(const Options& options);

}  // namespace accounting::domain
