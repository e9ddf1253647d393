#include "domain/validation.hpp"

#include "accounting/error.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace accounting::domain {
namespace {

constexpr std::size_t deepest_metadata = 64;

[[noreturn]] void refuse(std::string_view argument, const std::string& expected) {
  throw InvalidArgument(std::string(argument), expected);
}

/// The number of bytes of the well-formed UTF-8 sequence at `at`; 0 where there is none
/// (Unicode 15, table 3-7: no surrogates, no overlong forms, nothing above U+10FFFF).
std::size_t utf8_sequence(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t offset) -> unsigned {
    return at + offset < text.size() ? static_cast<unsigned char>(text[at + offset]) : 0U;
  };
  const auto continues = [&](std::size_t offset) { return (byte(offset) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  const unsigned second = byte(1);
  if (first < 0x80U) {
    return 1;
  }
  if (first >= 0xC2U && first <= 0xDFU) {
    return continues(1) ? 2 : 0;
  }
  if (first >= 0xE0U && first <= 0xEFU) {
    const bool overlong = first == 0xE0U && second < 0xA0U;
    const bool surrogate = first == 0xEDU && second > 0x9FU;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0U && first <= 0xF4U) {
    const bool overlong = first == 0xF0U && second < 0x90U;
    const bool too_large = first == 0xF4U && second > 0x8FU;
    return continues(1) && continues(2) && continues(3) && !overlong && !too_large ? 4 : 0;
  }
  return 0;
}

/// Refuses what a plain parse would let pass: duplicate members (one would be lost silently),
/// nesting deep enough to exhaust a stack, and NUL, which PostgreSQL's jsonb cannot hold.
class StrictMetadataChecker final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  /// An integer beyond 64 bits arrives here, and would be rounded.
  bool number_float(number_float_t, const string_t& text) override {
    return text.find_first_of(".eE") != std::string::npos;
  }
  bool string(string_t& text) override { return text.find('\0') == std::string::npos; }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return enter(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    return name.find('\0') == std::string::npos && members_.back().insert(name).second;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

 private:
  bool enter() {
    members_.emplace_back();
    return members_.size() <= deepest_metadata;
  }
  bool leave() {
    members_.pop_back();
    return true;
  }

  std::vector<std::set<std::string>> members_;
};

/// Spells numbers as jsonb gives them back, so that both databases answer the same: it has no
/// negative zero, and whole numbers that JSON writes with an exponent become integers.
void settle_numbers(nlohmann::json& value) {
  constexpr double first_with_exponent = 1e15;
  constexpr double beyond_64_bits = 18'446'744'073'709'551'616.0;
  if (value.is_structured()) {
    for (nlohmann::json& element : value) {
      settle_numbers(element);
    }
    return;
  }
  if (!value.is_number_float()) {
    return;
  }
  const auto number = value.get<double>();
  const double size = std::abs(number);
  if (size == 0.0) {
    value = 0.0;
    return;
  }
  const bool fits = number < 0 ? size <= beyond_64_bits / 2 : size < beyond_64_bits;
  if (fits && size >= first_with_exponent && size == std::floor(size)) {
    value = number < 0 ? nlohmann::json(static_cast<std::int64_t>(number))
                       : nlohmann::json(static_cast<std::uint64_t>(number));
  }
}

}  // namespace

void check_text(std::string_view argument, std::string_view text, std::size_t longest) {
  if (text.size() > longest) {
    refuse(argument,
           "at most " + std::to_string(longest) + " bytes, not " + std::to_string(text.size()));
  }
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_sequence(text, at);
    if (length == 0) {
      refuse(argument, "valid UTF-8");
    }
    if (text[at] == '\0') {
      refuse(argument, "text without a NUL byte");
    }
    at += length;
  }
}

void check_name(std::string_view argument, std::string_view text, std::size_t longest) {
  if (text.empty()) {
    refuse(argument, "text that is not empty");
  }
  check_text(argument, text, longest);
}

void check_user_id(std::string_view text, std::string_view argument) {
  check_name(argument, text, 50);
}
void check_session_id(std::string_view text) { check_name("session_id", text, 100); }
void check_model_id(std::string_view text) { check_name("model_id", text, 100); }
void check_service(std::string_view text) { check_name("service", text, 50); }
void check_operation(std::string_view text) { check_name("operation", text, 100); }
void check_notes(std::string_view text) { check_text("notes", text, 10'000); }

void check_idempotency_key(const std::optional<std::string>& key) {
  if (key) {
    check_name("idempotency_key", *key, 255);
  }
}

void check_range(std::string_view argument, std::int64_t value, std::int64_t smallest,
                 std::int64_t largest) {
  if (value < smallest || value > largest) {
    refuse(argument, "a number from " + std::to_string(smallest) + " to " +
                         std::to_string(largest) + ", not " + std::to_string(value));
  }
}

void check_credits(std::int64_t credits) { check_range("credits", credits, 1, largest_credits); }

void check_tokens(std::string_view argument, const Tokens& tokens) {
  check_range(argument, tokens.number(), 0, largest_tokens);
  const TokenCounts counts = tokens.counts();
  check_range(argument, counts.input, 0, largest_tokens);
  check_range(argument, counts.output, 0, largest_tokens);
  check_range(argument, counts.cached_input, 0, largest_tokens);
}

void check_page(std::int64_t page, std::int64_t limit) {
  // A larger page times the largest limit would not be a row number any more.
  check_range("page", page, 1, 1'000'000'000'000);
  check_limit(limit);
}

void check_limit(std::int64_t limit) { check_range("limit", limit, 1, largest_page_limit); }

void check_after(std::int64_t after) {
  check_range("after", after, 0, std::numeric_limits<std::int64_t>::max());
}

void check_instant(std::string_view argument, const std::optional<Timestamp>& instant) {
  if (instant && (*instant < earliest_instant || *instant > latest_instant)) {
    refuse(argument, "an instant in the years 1970 to 9999");
  }
}

void check_time_range(const std::optional<Timestamp>& start, const std::optional<Timestamp>& end) {
  check_instant("start", start);
  check_instant("end", end);
  if (start && end && *start > *end) {
    refuse("start", "an instant not after end");
  }
}

std::optional<std::string> canonical_metadata(const std::optional<std::string>& metadata) {
  if (!metadata) {
    return std::nullopt;
  }
  if (metadata->size() > largest_metadata) {
    refuse("metadata", "at most 65536 bytes of JSON, not " + std::to_string(metadata->size()));
  }
  // The parser takes a NUL byte for the end of the text.
  const bool has_nul = metadata->find('\0') != std::string::npos;
  StrictMetadataChecker checker;
  if (has_nul || !nlohmann::json::sax_parse(*metadata, &checker)) {
    refuse("metadata",
           "JSON text in UTF-8, at most 64 levels deep, without duplicate members, NUL, or "
           "integers beyond 64 bits");
  }
  nlohmann::json value = nlohmann::json::parse(*metadata);
  settle_numbers(value);
  return value.dump();
}

void check_policy(const Policy& policy) {
  check_range("policy.buffer", policy.buffer, 0, largest_buffer);
  check_range("policy.allocation_expiry_days", policy.allocation_expiry_days, 1, largest_days);
  check_range("policy.refund_expiry_days", policy.refund_expiry_days, 1, largest_days);
  constexpr std::int64_t longest_ttl = largest_days * 86'400 * 1'000'000;
  check_range("policy.session_ttl", policy.session_ttl.count(), 1, longest_ttl);
  for (const auto& [model_id, price] : policy.default_prices) {
    check_name("policy.default_prices", model_id, 100);
  }
}

void check_options(const Options& options) {
  check_policy(options.policy);
  constexpr std::int64_t a_day = 86'400'000;
  check_range("pool_size", options.pool_size, 1, 1'000);
  check_range("pool_timeout", options.pool_timeout.count(), 1, a_day);
  check_range("connect_timeout", options.connect_timeout.count(), 1, a_day);
  check_range("call_timeout", options.call_timeout.count(), 2'000, a_day);
  check_range("tcp_user_timeout", options.tcp_user_timeout.count(), 1, a_day);
  check_range("statement_timeout", options.statement_timeout.count(), 1, a_day);
  check_range("lock_timeout", options.lock_timeout.count(), 1, a_day);
  check_range("max_attempts", options.max_attempts, 1, 100);
  const std::string& prefix = options.api_key_prefix;
  const bool is_word = std::ranges::all_of(prefix, [](char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9');
  });
  if (prefix.empty() || prefix.size() > 16 || !is_word) {
    throw InvalidArgument("api_key_prefix", "1 to 16 letters and digits");
  }
  const std::size_t pepper = options.api_key_pepper.size();
  if (pepper != 0 && (pepper < 32 || pepper > 1'024)) {
    throw InvalidArgument("api_key_pepper", "32 to 1,024 bytes, or none");
  }
}

}  // namespace accounting::domain
