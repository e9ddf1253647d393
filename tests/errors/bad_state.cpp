#include "errors/bad_input.hpp"

#include <limits>
#include <optional>

namespace accounting::testing {
namespace {

const auto kNoMetadata = std::nullopt;

std::vector<BadInput> unknown_user() {
  const std::string no = "nobody";
  return {
      {"accounts.get: unknown user", [=](Books& b) { static_cast<void>(b.accounts().get(no)); },
       "not_found"},
      {"credits.allocate: unknown user",
       [=](Books& b) {
         b.credits().allocate({no, 1, "x"});
       },
       "not_found"},
      {"credits.allocate_many: one unknown user",
       [=](Books& b) {
         b.credits().allocate_many({{"ada", 1, "x"}, {no, 1, "x"}});
       },
       "not_found"},
      {"credits.balance: unknown user",
       [=](Books& b) { static_cast<void>(b.credits().balance(no)); }, "not_found"},
      {"credits.check: unknown user",
       [=](Books& b) {
         static_cast<void>(b.credits().check({no, 1}));
       },
       "not_found"},
      {"credits.deduct: unknown user",
       [=](Books& b) {
         b.credits().deduct({no, 1, "free"});
       },
       "not_found"},
      {"credits.charge: unknown user",
       [=](Books& b) {
         b.credits().charge({no, "s", "o", 1, kNoMetadata, "free"});
       },
       "not_found"},
      {"credits.history: unknown user",
       [=](Books& b) { static_cast<void>(b.credits().history({no})); }, "not_found"},
      {"credits.entries: unknown user",
       [=](Books& b) { static_cast<void>(b.credits().entries({no})); }, "not_found"},
      {"credits.revoke: unknown user",
       [=](Books& b) {
         b.credits().revoke({1, no, "x"});
       },
       "not_found"},
      {"usage.record: unknown user",
       [=](Books& b) {
         b.usage().record({no, "s", "o", 1});
       },
       "not_found"},
      {"usage.record_many: one unknown user",
       [=](Books& b) {
         b.usage().record_many({{"ada", "s", "o", 1}, {no, "s", "o", 1}});
       },
       "not_found"},
      {"usage.list: unknown user", [=](Books& b) { static_cast<void>(b.usage().list({no})); },
       "not_found"},
      {"usage.user_stats: unknown user",
       [=](Books& b) { static_cast<void>(b.usage().user_stats({no})); }, "not_found"},
      {"sessions.initialize: unknown user",
       [=](Books& b) {
         b.sessions().initialize({"free", no, "m", 1});
       },
       "not_found"},
      {"sessions.get: unknown user",
       [=](Books& b) {
         static_cast<void>(b.sessions().get({"active", no}));
       },
       "not_found"},
      {"sessions.report: unknown user",
       [=](Books& b) {
         b.sessions().report({"active", no, 1});
       },
       "not_found"},
      {"sessions.extend: unknown user",
       [=](Books& b) {
         b.sessions().extend({"active", no, 1});
       },
       "not_found"},
      {"sessions.finalize: unknown user",
       [=](Books& b) {
         b.sessions().finalize({"active", no, 1});
       },
       "not_found"},
      {"sessions.abort: unknown user",
       [=](Books& b) {
         b.sessions().abort({"active", no});
       },
       "not_found"},
      {"sessions.active: unknown user",
       [=](Books& b) { static_cast<void>(b.sessions().active(no)); }, "not_found"},
      {"transact: unknown user",
       [=](Books& b) {
         b.accounting().transact([](Transaction&) {}, {"ada", no});
       },
       "not_found"},
  };
}

std::vector<BadInput> wrong_session() {
  std::vector<BadInput> cases;
  struct Kind {
    const char* what;
    const char* session_id;
    const char* outcome;
  };
  for (const auto& [what, id, outcome] : {Kind{"unknown session", "free", "not_found"},
                                          Kind{"another user's session", "bobs", "not_found"},
                                          Kind{"ended session", "ended", "session_closed"}}) {
    const std::string session = id;
    const auto add = [&](const std::string& call_name, std::function<void(Books&)> call) {
      cases.push_back({call_name + ": " + what, std::move(call), outcome});
    };
    add("sessions.report", [=](Books& b) { b.sessions().report({session, "ada", 1}); });
    add("sessions.extend", [=](Books& b) { b.sessions().extend({session, "ada", 1, "free"}); });
    add("sessions.finalize", [=](Books& b) { b.sessions().finalize({session, "ada", 1}); });
    add("sessions.finalize without success", [=](Books& b) {
      b.sessions().finalize({session, "ada", 1, false});
    });
    add("sessions.abort", [=](Books& b) { b.sessions().abort({session, "ada"}); });
    if (session != "ended") {
      add("sessions.get", [=](Books& b) { static_cast<void>(b.sessions().get({session, "ada"})); });
    }
  }
  return cases;
}

std::vector<BadInput> others() {
  return {
      {"credits.revoke: unknown allocation",
       [](Books& b) {
         b.credits().revoke({77, "ada", "x"});
       },
       "not_found"},
      {"credits.revoke: another user's allocation",
       [](Books& b) {
         b.credits().revoke({2, "ada", "x"});
       },
       "not_found"},
      {"pricing.get: unknown model",
       [](Books& b) { static_cast<void>(b.pricing().get({"unpriced"})); }, "price_not_found"},
      {"pricing.get: before the first rule",
       [](Books& b) {
         static_cast<void>(b.pricing().get({"m", kStart - 1us}));
       },
       "price_not_found"},
      {"pricing.calculate: unknown model",
       [](Books& b) {
         static_cast<void>(b.pricing().calculate({"unpriced", 1}));
       },
       "price_not_found"},
      {"sessions.initialize: unknown model",
       [](Books& b) {
         b.sessions().initialize({"free", "ada", "unpriced", 1});
       },
       "price_not_found"},
      {"pricing.set: another price for the same start",
       [](Books& b) {
         b.pricing().set({"m", "2", "x", kStart});
       },
       "conflict"},
      {"pricing.set: before the open rule",
       [](Books& b) {
         b.pricing().set({"m", "2", "x", kStart - 1s});
       },
       "conflict"},
      {"credits.allocate: key of another request",
       [](Books& b) {
         b.credits().allocate(
             {.user_id = "ada", .credits = 1, .allocated_by = "x", .idempotency_key = "used"});
       },
       "conflict"},
      {"credits.deduct: key of another amount",
       [](Books& b) {
         b.credits().deduct({"ada", 2, "used"});
       },
       "conflict"},
      {"credits.charge: key of another request",
       [](Books& b) {
         b.credits().charge({"ada", "s", "o", 1, kNoMetadata, "used"});
       },
       "conflict"},
      {"usage.record: key of another request",
       [](Books& b) {
         b.usage().record({"ada", "s", "o", 1, kNoMetadata, "used"});
       },
       "conflict"},
      {"sessions.extend: key of another request",
       [](Books& b) {
         b.sessions().extend({"active", "ada", 1, "used"});
       },
       "conflict"},
      {"sessions.initialize: known with another estimate",
       [](Books& b) {
         b.sessions().initialize({"active", "ada", "m", 11});
       },
       "conflict"},
      {"sessions.initialize: known with another model",
       [](Books& b) {
         b.sessions().initialize({"active", "ada", "dear", 10});
       },
       "conflict"},
      {"credits.deduct: more than there is",
       [](Books& b) {
         b.credits().deduct({"ada", 89, "free"});
       },
       "insufficient_credits(required 89, available 88)"},
      {"credits.charge: more than there is",
       [](Books& b) {
         b.credits().charge({"ada", "s", "o", 89, kNoMetadata, "free"});
       },
       "insufficient_credits(required 89, available 88)"},
      {"sessions.initialize: more than there is",
       [](Books& b) {
         b.sessions().initialize({"free", "ada", "m", 74});
       },
       "insufficient_credits(required 89, available 88)"},
      {"sessions.extend: more than there is",
       [](Books& b) {
         b.sessions().extend({"active", "ada", 74, "free"});
       },
       "insufficient_credits(required 89, available 88)"},
      {"sessions.initialize: above 10^15 credits",
       [](Books& b) {
         b.sessions().initialize({"free", "ada", "dear", kMostTokens});
       },
       "invalid_argument(estimated_tokens)"},
      {"pricing.calculate: above 10^15 credits",
       [](Books& b) {
         static_cast<void>(b.pricing().calculate({"dear", kMostTokens}));
       },
       "invalid_argument(tokens)"},
      {"sessions.report: tokens by kind for a session by number",
       [](Books& b) {
         b.sessions().report({"active", "ada", TokenCounts{.input = 1}});
       },
       "invalid_argument(tokens_so_far)"},
      {"sessions.extend: tokens by kind for a session by number",
       [](Books& b) {
         b.sessions().extend({"active", "ada", TokenCounts{.input = 1}, "free"});
       },
       "invalid_argument(additional_tokens)"},
      {"sessions.finalize: tokens by kind for a session by number",
       [](Books& b) {
         b.sessions().finalize({"active", "ada", TokenCounts{.input = 1}});
       },
       "invalid_argument(actual_tokens)"},
      {"sessions.abort: tokens by kind for a session by number",
       [](Books& b) {
         b.sessions().abort({"active", "ada", TokenCounts{.input = 1}});
       },
       "invalid_argument(tokens_generated)"},
      {"sessions.extend: above 10^12 tokens in all",
       [](Books& b) {
         b.sessions().extend({"active", "ada", kMostTokens, "free"});
       },
       "invalid_argument(additional_tokens)"},
      {"credits.allocate_many: one bad request",
       [](Books& b) {
         b.credits().allocate_many({{"ada", 1, "x"}, {"ada", 0, "x"}});
       },
       "invalid_argument(requests[1].credits)"},
      {"usage.record_many: one bad request",
       [](Books& b) {
         b.usage().record_many({{"ada", "s", "o", 1}, {"ada", "", "o", 1}});
       },
       "invalid_argument(requests[1].service)"},
  };
}

std::vector<BadInput> wrong_key() {
  const std::int64_t highest = std::numeric_limits<std::int64_t>::max();
  std::vector<BadInput> cases = {
      {"api_keys.create: unknown user",
       [](Books& b) {
         keys_of(b).create({"nobody", "k"});
       },
       "not_found"},
      {"api_keys.list: unknown user",
       [](Books& b) { static_cast<void>(keys_of(b).list("nobody")); }, "not_found"},
      {"api_keys.validate: a key that nobody has",
       [](Books& b) {
         // Well made, as its checksum says, but of other books.
         static_cast<void>(keys_of(b).validate(
             Books(Database::sqlite_memory, Setup{}).accounting().transact([](Transaction& t) {
               t.accounts().sync({"eve", "e", "n"});
               return t.api_keys().create({"eve", "k"}).key;
             })));
       },
       "invalid_api_key"},
      {"transact: one unknown user",
       [](Books& b) {
         b.accounting().transact(
             [](Transaction& t) {
               t.credits().deduct({"ada", 1});
             },
             {"ada", "nobody"});
       },
       "not_found"},
  };
  const auto add = [&](const std::string& what, const std::string& user, std::int64_t id) {
    cases.push_back({"api_keys.update: " + what,
                     [=](Books& b) {
                       keys_of(b).update({id, user, "new"});
                     },
                     "not_found"});
    cases.push_back({"api_keys.rotate: " + what,
                     [=](Books& b) {
                       keys_of(b).rotate({id, user});
                     },
                     "not_found"});
    cases.push_back({"api_keys.revoke: " + what,
                     [=](Books& b) {
                       keys_of(b).revoke({id, user});
                     },
                     "not_found"});
    cases.push_back({"api_keys.remove: " + what,
                     [=](Books& b) {
                       keys_of(b).remove({id, user});
                     },
                     "not_found"});
  };
  add("unknown user", "nobody", 1);
  add("somebody else's key", "bob", 1);
  add("the largest key_id", "ada", highest);
  return cases;
}

}  // namespace

std::vector<BadInput> bad_state() {
  std::vector<BadInput> cases = unknown_user();
  for (const auto& more : {wrong_session(), others(), wrong_key()}) {
    cases.insert(cases.end(), more.begin(), more.end());
  }
  return cases;
}

}  // namespace accounting::testing
