// Words: the stored spelling of roles, states, kinds and error codes; and which command may simply
// be repeated.
#include "domain/words.hpp"
#include "domain/command.hpp"
#include "unit/desk.hpp"

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace accounting::testing {

TEST_CASE("roles, states and kinds are stored as words and read back") {
  const std::vector<std::string> roles = {"user", "supervisor", "admin"};
  for (std::size_t index = 0; index < roles.size(); ++index) {
    CHECK(to_string(static_cast<Role>(index)) == roles[index]);
    CHECK(domain::role_of(roles[index]) == static_cast<Role>(index));
  }
  const std::vector<std::string> statuses = {"active", "completed", "failed", "aborted", "expired"};
  for (std::size_t index = 0; index < statuses.size(); ++index) {
    CHECK(to_string(static_cast<SessionStatus>(index)) == statuses[index]);
    CHECK(domain::session_status_of(statuses[index]) == static_cast<SessionStatus>(index));
  }
  const std::vector<std::string> kinds = {"allocate", "deduct", "charge",  "hold",  "settle",
                                          "refund",   "move",   "overage", "revoke"};
  for (std::size_t index = 0; index < kinds.size(); ++index) {
    CHECK(to_string(static_cast<EntryKind>(index)) == kinds[index]);
    CHECK(domain::entry_kind_of(kinds[index]) == static_cast<EntryKind>(index));
  }
  for (const char* word : {"", "User", "users", "root", "actif"}) {
    CHECK_THROWS_AS(domain::role_of(word), std::invalid_argument);
    CHECK_THROWS_AS(domain::session_status_of(word), std::invalid_argument);
    CHECK_THROWS_AS(domain::entry_kind_of(word), std::invalid_argument);
  }
}

TEST_CASE("every error code has a word of its own") {
  std::set<std::string_view> words;
  for (int code = 0; code <= static_cast<int>(ErrorCode::migration_error); ++code) {
    words.insert(to_string(static_cast<ErrorCode>(code)));
  }
  CHECK(words.size() == static_cast<std::size_t>(ErrorCode::migration_error) + 1);
  CHECK(words.count("unknown") == 0);
}

TEST_CASE("a kind of entry moves credits from one place to another") {
  for (int index = 0; index <= static_cast<int>(EntryKind::revoke); ++index) {
    const auto kind = static_cast<EntryKind>(index);
    CAPTURE(to_string(kind));
    const auto [remaining, held, consumed, revoked, moved] = domain::effect_of(kind);
    CHECK(remaining + held + consumed + revoked + moved == (kind == EntryKind::allocate ? 1 : 0));
  }
}

TEST_CASE("a refusal is thrown as the error that it stands for") {
  CHECK_THROWS_AS(domain::throw_refusal({.code = ErrorCode::not_found}), NotFound);
  CHECK_THROWS_AS(domain::throw_refusal({.code = ErrorCode::conflict}), Conflict);
  CHECK_THROWS_AS(domain::throw_refusal({.code = ErrorCode::price_not_found}), PriceNotFound);
  CHECK_THROWS_AS(domain::throw_refusal({.code = ErrorCode::session_closed}), SessionClosed);
  try {
    domain::throw_refusal(
        {.code = ErrorCode::invalid_argument, .message = "a sign", .argument = "expires_at"});
  } catch (const InvalidArgument& error) {
    CHECK(error.argument() == "expires_at");
    CHECK(error.expected() == "a sign");
  }
  try {
    domain::throw_refusal({.code = ErrorCode::insufficient_credits, .required = 5, .available = 3});
  } catch (const InsufficientCredits& error) {
    CHECK(error.required() == 5);
    CHECK(error.available() == 3);
    CHECK_FALSE(error.retryable());
  }
}

TEST_CASE("what may be repeated after a lost answer: what has a key, or replays by itself") {
  struct Row {
    domain::Action action;
    bool by_itself;
  };
  const std::vector<Row> rows = {
      {domain::Allocate{}, false},    {domain::Deduct{}, false}, {domain::ChargeUsage{}, false},
      {domain::RecordUsage{}, false}, {domain::Revoke{}, true},  {domain::Initialize{}, true},
      {domain::Report{}, true},       {domain::Extend{}, false}, {domain::Finalize{}, true},
      {domain::Abort{}, true},        {domain::Expire{}, true},
  };
  REQUIRE(rows.size() == std::variant_size_v<domain::Action>);
  for (const auto& [action, by_itself] : rows) {
    CAPTURE(action.index());
    CHECK(domain::replays(command(action)) == by_itself);
    CHECK(domain::replays(command(action, "k")));
  }
}

}  // namespace accounting::testing
