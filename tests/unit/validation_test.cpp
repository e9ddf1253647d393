// Arguments: which texts, numbers and instants are taken, and how a refusal names them.
#include "domain/validation.hpp"
#include "accounting/error.hpp"
#include "unit/desk.hpp"

#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

constexpr std::int64_t smallest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

/// "ok", or the argument that was refused.
std::string refused(const std::function<void()>& check) {
  try {
    check();
    return "ok";
  } catch (const InvalidArgument& error) {
    CHECK(error.code() == ErrorCode::invalid_argument);
    CHECK_FALSE(error.retryable());
    CHECK_FALSE(error.expected().empty());
    return error.argument();
  }
}

std::string bytes(std::initializer_list<unsigned> values) {
  std::string text;
  for (const unsigned value : values) {
    text += static_cast<char>(value);
  }
  return text;
}

}  // namespace

TEST_CASE("text is well-formed UTF-8 without NUL") {
  struct Row {
    std::string what;
    std::string text;
    bool taken;
  };
  const std::vector<Row> rows = {
      {"ASCII", "hello", true},
      {"control characters but NUL", bytes({0x01, 0x1F, 0x7F}), true},
      {"two bytes: é", bytes({0xC3, 0xA9}), true},
      {"the first of two bytes: U+0080", bytes({0xC2, 0x80}), true},
      {"three bytes: €", bytes({0xE2, 0x82, 0xAC}), true},
      {"the first of three bytes: U+0800", bytes({0xE0, 0xA0, 0x80}), true},
      {"the last before the surrogates: U+D7FF", bytes({0xED, 0x9F, 0xBF}), true},
      {"the first after the surrogates: U+E000", bytes({0xEE, 0x80, 0x80}), true},
      {"four bytes: U+1F600", bytes({0xF0, 0x9F, 0x98, 0x80}), true},
      {"the first of four bytes: U+10000", bytes({0xF0, 0x90, 0x80, 0x80}), true},
      {"the last: U+10FFFF", bytes({0xF4, 0x8F, 0xBF, 0xBF}), true},

      {"NUL alone", std::string(1, '\0'), false},
      {"NUL inside", std::string("a\0b", 3), false},
      {"NUL at the end", std::string("ab\0", 3), false},
      {"a byte that continues nothing", bytes({'a', 0x80}), false},
      {"cut off after one byte", bytes({'a', 0xC3}), false},
      {"cut off after two bytes", bytes({0xE2, 0x82}), false},
      {"cut off after three bytes", bytes({0xF0, 0x9F, 0x98}), false},
      {"the next letter instead of a continuation", bytes({0xC3, 'a'}), false},
      {"NUL in two bytes (overlong)", bytes({0xC0, 0x80}), false},
      {"a slash in two bytes (overlong)", bytes({0xC0, 0xAF}), false},
      {"C1", bytes({0xC1, 0xBF}), false},
      {"NUL in three bytes (overlong)", bytes({0xE0, 0x80, 0x80}), false},
      {"U+07FF in three bytes (overlong)", bytes({0xE0, 0x9F, 0xBF}), false},
      {"U+FFFF in four bytes (overlong)", bytes({0xF0, 0x8F, 0xBF, 0xBF}), false},
      {"the first surrogate: U+D800", bytes({0xED, 0xA0, 0x80}), false},
      {"the last surrogate: U+DFFF", bytes({0xED, 0xBF, 0xBF}), false},
      {"above U+10FFFF", bytes({0xF4, 0x90, 0x80, 0x80}), false},
      {"F5", bytes({0xF5, 0x80, 0x80, 0x80}), false},
      {"five bytes", bytes({0xF8, 0x88, 0x80, 0x80, 0x80}), false},
      {"FE", bytes({0xFE}), false},
      {"FF", bytes({0xFF}), false},
      {"Latin-1", bytes({'c', 'a', 'f', 0xE9}), false},
  };
  for (const auto& [what, text, taken] : rows) {
    CAPTURE(what);
    CHECK(refused([&] { domain::check_text("notes", text, 100); }) == (taken ? "ok" : "notes"));
  }
}

TEST_CASE("texts have their lengths, in bytes") {
  struct Row {
    std::string argument;
    std::function<void(std::string_view)> check;
    std::size_t longest;
    bool may_be_empty;
  };
  const std::vector<Row> rows = {
      {"user_id", [](auto text) { domain::check_user_id(text); }, 50, false},
      {"allocated_by", [](auto text) { domain::check_user_id(text, "allocated_by"); }, 50, false},
      {"session_id", domain::check_session_id, 100, false},
      {"model_id", domain::check_model_id, 100, false},
      {"service", domain::check_service, 50, false},
      {"operation", domain::check_operation, 100, false},
      {"notes", domain::check_notes, 10'000, true},
      {"idempotency_key", [](auto text) { domain::check_idempotency_key(std::string(text)); }, 255,
       false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.argument);
    const auto check = [&](const std::string& text) { return refused([&] { row.check(text); }); };
    CHECK(check("") == (row.may_be_empty ? "ok" : row.argument));
    CHECK(check("x") == "ok");
    CHECK(check(std::string(row.longest, 'x')) == "ok");
    CHECK(check(std::string(row.longest + 1, 'x')) == row.argument);
    // A letter of two bytes counts twice.
    std::string letters;
    while (letters.size() <= row.longest) {
      letters += "é";
    }
    CHECK(check(letters) == row.argument);
    CHECK(check(std::string("a\0b", 3)) == row.argument);
  }
  CHECK(refused([] { domain::check_idempotency_key(std::nullopt); }) == "ok");
}

TEST_CASE("numbers have their ranges, the ends included") {
  struct Row {
    std::string argument;
    std::function<void(std::int64_t)> check;
    std::int64_t first;
    std::int64_t last;
  };
  const std::vector<Row> rows = {
      {"credits", domain::check_credits, 1, kMostCredits},
      {"tokens", [](auto number) { domain::check_tokens("tokens", number); }, 0, kMostTokens},
      {"tokens", [](auto n) { domain::check_tokens("tokens", TokenCounts{.input = n}); }, 0,
       kMostTokens},
      {"tokens", [](auto n) { domain::check_tokens("tokens", TokenCounts{.output = n}); }, 0,
       kMostTokens},
      {"tokens", [](auto n) { domain::check_tokens("tokens", TokenCounts{.cached_input = n}); }, 0,
       kMostTokens},
      {"limit", domain::check_limit, 1, 1'000},
      {"page", [](auto number) { domain::check_page(number, 1); }, 1, 1'000'000'000'000},
      {"limit", [](auto number) { domain::check_page(1, number); }, 1, 1'000},
      {"after", domain::check_after, 0, largest},
      {"n", [](auto number) { domain::check_range("n", number, -2, 2); }, -2, 2},
  };
  for (std::size_t index = 0; index < rows.size(); ++index) {
    const Row& row = rows[index];
    CAPTURE(index);
    CAPTURE(row.argument);
    const auto check = [&](std::int64_t number) { return refused([&] { row.check(number); }); };
    CHECK(check(row.first) == "ok");
    CHECK(check(row.last) == "ok");
    CHECK(check(row.first - 1) == row.argument);
    CHECK(check(smallest) == row.argument);
    if (row.last < largest) {
      CHECK(check(row.last + 1) == row.argument);
      CHECK(check(largest) == row.argument);
    }
  }
}

TEST_CASE("instants lie in the years 1970 to 9999, and ranges run forwards") {
  using namespace std::chrono_literals;
  const auto check = [](std::optional<Timestamp> instant) {
    return refused([&] { domain::check_instant("at", instant); });
  };
  CHECK(check(std::nullopt) == "ok");
  CHECK(check(Timestamp()) == "ok");
  CHECK(check(Timestamp() - 1us) == "at");
  CHECK(check(domain::latest_instant) == "ok");
  CHECK(check(domain::latest_instant + 1us) == "at");
  CHECK(domain::latest_instant + 1us ==
        Timestamp(std::chrono::sys_days{std::chrono::year{10'000} / 1 / 1}));
  CHECK(check(Timestamp::max()) == "at");
  CHECK(check(Timestamp::min()) == "at");

  const auto range = [](std::optional<Timestamp> start, std::optional<Timestamp> end) {
    return refused([&] { domain::check_time_range(start, end); });
  };
  CHECK(range({}, {}) == "ok");
  CHECK(range(kStart, {}) == "ok");
  CHECK(range({}, kStart) == "ok");
  CHECK(range(kStart, kStart) == "ok");
  CHECK(range(kStart + 1us, kStart) == "start");
  CHECK(range(Timestamp::max(), {}) == "start");
  CHECK(range({}, Timestamp::min()) == "end");
}

TEST_CASE("policies and options have their ranges") {
  struct Row {
    std::string argument;
    std::function<void(Options&)> change;
  };
  using std::chrono::microseconds;
  const std::vector<Row> rows = {
      {"ok", [](Options&) {}},
      {"ok", [](Options& o) { o.policy = Policy::original(); }},
      {"ok", [](Options& o) { o.policy.buffer = 0; }},
      {"ok", [](Options& o) { o.policy.buffer = 1'000'000; }},
      {"policy.buffer", [](Options& o) { o.policy.buffer = -1; }},
      {"policy.buffer", [](Options& o) { o.policy.buffer = 1'000'001; }},
      {"policy.allocation_expiry_days", [](Options& o) { o.policy.allocation_expiry_days = 0; }},
      {"policy.allocation_expiry_days",
       [](Options& o) { o.policy.allocation_expiry_days = 1'000'001; }},
      {"policy.refund_expiry_days", [](Options& o) { o.policy.refund_expiry_days = 0; }},
      {"ok", [](Options& o) { o.policy.session_ttl = microseconds(1); }},
      {"policy.session_ttl", [](Options& o) { o.policy.session_ttl = microseconds(0); }},
      {"policy.session_ttl", [](Options& o) { o.policy.session_ttl = microseconds::max(); }},
      {"policy.default_prices", [](Options& o) { o.policy.default_prices[""] = 1; }},
      {"policy.default_prices",
       [](Options& o) { o.policy.default_prices[std::string(101, 'm')] = 1; }},
      {"pool_size", [](Options& o) { o.pool_size = 0; }},
      {"pool_size", [](Options& o) { o.pool_size = 1'001; }},
      {"pool_timeout", [](Options& o) { o.pool_timeout = {}; }},
      {"connect_timeout", [](Options& o) { o.connect_timeout = std::chrono::hours(25); }},
      {"statement_timeout", [](Options& o) { o.statement_timeout = {}; }},
      {"lock_timeout", [](Options& o) { o.lock_timeout = {}; }},
      {"max_attempts", [](Options& o) { o.max_attempts = 0; }},
  };
  for (std::size_t index = 0; index < rows.size(); ++index) {
    CAPTURE(index);
    Options options;
    rows[index].change(options);
    CHECK(refused([&] { domain::check_options(options); }) == rows[index].argument);
  }
}

}  // namespace accounting::testing
