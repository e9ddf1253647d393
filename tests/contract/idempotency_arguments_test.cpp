// Idempotency keys: which arguments make a request the same. All of them do, as they were given.
#include "support/books.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

/// One argument of a request, changed.
template <class Request>
struct Change {
  const char* argument;
  std::function<void(Request&)> apply;
};

/// Makes the call once, then with each argument changed (a Conflict), then as at first (the first
/// answer).
template <class Request, class Call>
void check_each_argument(const Request& request, const std::vector<Change<Request>>& changes,
                         Call&& call) {
  const auto first = call(request);
  for (const auto& [argument, apply] : changes) {
    CAPTURE(argument);
    Request changed = request;
    apply(changed);
    CHECK(outcome_of([&] { return call(changed); }) == "conflict");
  }
  CHECK(call(request) == first);
}

}  // namespace

TEST_SUITE("idempotency keys and arguments") {
  TEST_CASE("allocate: every argument counts, and a default is not the same as its value") {
    const std::vector<Change<AllocateRequest>> changes = {
        {"credits", [](auto& request) { request.credits = 11; }},
        {"allocated_by", [](auto& request) { request.allocated_by = "Admin"; }},
        {"expiry_days: another", [](auto& request) { request.expiry_days = 31; }},
        {"expiry_days: the default's value", [](auto& request) { request.expiry_days = 30; }},
        {"expires_at", [](auto& request) { request.expires_at = kStart + days(30); }},
        {"never_expires", [](auto& request) { request.never_expires = true; }},
        {"effective_at: the default's value", [](auto& request) { request.effective_at = kStart; }},
        {"notes", [](auto& request) { request.notes = "n"; }},
    };
    for_each_database([&](Books& books) {
      books.account("ada");
      const AllocateRequest request{
          .user_id = "ada", .credits = 10, .allocated_by = "admin", .idempotency_key = "k"};
      check_each_argument(request, changes,
                          [&](const auto& given) { return books.credits().allocate(given); });
      CHECK(books.balance("ada") == 10);
    });
  }

  TEST_CASE("charge and record: every argument counts") {
    const auto changes = []<class Request>(Request) {
      return std::vector<Change<Request>>{
          {"service", [](auto& request) { request.service = "other"; }},
          {"operation", [](auto& request) { request.operation = "other"; }},
          {"credits", [](auto& request) { request.credits = 2; }},
          {"metadata: another", [](auto& request) { request.metadata = R"({"a":2})"; }},
          {"metadata: none", [](auto& request) { request.metadata = std::nullopt; }},
      };
    };
    for_each_database([&](Books& books) {
      books.account("ada", 10);
      const ChargeRequest charge{"ada", "s", "o", 1, R"({"a":1})", "charge"};
      check_each_argument(charge, changes(ChargeRequest{}),
                          [&](const auto& given) { return books.credits().charge(given); });
      const RecordRequest record{"ada", "s", "o", 1, R"({"a":1})", "record"};
      check_each_argument(record, changes(RecordRequest{}),
                          [&](const auto& given) { return books.usage().record(given); });
      CHECK(books.balance("ada") == 9);
      CHECK(books.usage_of("ada").size() == 2);
    });
  }

  TEST_CASE("extend: session, amount and form of the tokens count") {
    const std::vector<Change<ExtendRequest>> changes = {
        {"session_id", [](auto& request) { request.session_id = "other"; }},
        {"additional_tokens", [](auto& request) { request.additional_tokens = 2'000; }},
    };
    for_each_database([&](Books& books) {
      books.account("ada", 100);
      books.price("m", "1");
      books.sessions().initialize({"s", "ada", "m", 1'000});
      books.sessions().initialize({"other", "ada", "m", 1'000});
      check_each_argument(ExtendRequest{"s", "ada", 1'000, "k"}, changes,
                          [&](const auto& given) { return books.sessions().extend(given); });
      CHECK(books.held("ada") == 3 + 2);
    });
  }

  TEST_CASE("deduct: the credits count") {
    const std::vector<Change<DeductRequest>> changes = {
        {"credits", [](auto& request) { request.credits = 2; }},
    };
    for_each_database([&](Books& books) {
      books.account("ada", 10);
      check_each_argument(DeductRequest{"ada", 1, "k"}, changes,
                          [&](const auto& given) { return books.credits().deduct(given); });
    });
  }

  TEST_CASE("a replay is told from a request that the present clock would refuse") {
    for_each_database([](Books& books) {
      books.account("ada");
      const AllocateRequest request{.user_id = "ada",
                                    .credits = 10,
                                    .allocated_by = "admin",
                                    .expires_at = kStart + 1h,
                                    .idempotency_key = "k"};
      const auto first = books.credits().allocate(request);
      books.advance(2h);
      CHECK(books.credits().allocate(request) == first);
    });
  }
}

}  // namespace accounting::testing
