#include "errors/bad_input.hpp"

#include <set>

namespace accounting::testing {
namespace {

/// A text argument of a call: its longest length in bytes, and the call with the text in it.
struct TextArgument {
  const char* call_name;
  const char* argument;
  std::size_t longest;
  std::function<void(Books&, const std::string&)> call;
  std::string outcome = "invalid_argument(" + std::string(argument) + ")";
};

const std::string kAda = "ada";

/// The arguments that may be empty: no notes, and the audit trail of prices.
const std::set<std::string> kMayBeEmpty = {"credits.allocate: notes", "audit.list: user_id"};

std::vector<TextArgument> account_arguments() {
  return {
      {"accounts.sync", "user_id", 50,
       [](Books& b, const std::string& text) {
         b.accounts().sync({text, "e", "n"});
       }},
      {"accounts.sync", "email", 255,
       [](Books& b, const std::string& text) {
         b.accounts().sync({kAda, text, "n"});
       }},
      {"accounts.sync", "username", 100,
       [](Books& b, const std::string& text) {
         b.accounts().sync({kAda, "e", text});
       }},
      {"accounts.get", "user_id", 50,
       [](Books& b, const std::string& text) { static_cast<void>(b.accounts().get(text)); }},
  };
}

std::vector<TextArgument> credit_arguments() {
  return {
      {"credits.allocate", "user_id", 50,
       [](Books& b, const std::string& text) {
         b.credits().allocate({text, 1, "x"});
       }},
      {"credits.allocate", "allocated_by", 50,
       [](Books& b, const std::string& text) {
         b.credits().allocate({kAda, 1, text});
       }},
      {"credits.allocate", "notes", 10'000,
       [](Books& b, const std::string& text) {
         b.credits().allocate({.user_id = kAda, .credits = 1, .allocated_by = "x", .notes = text});
       }},
      {"credits.allocate", "idempotency_key", 255,
       [](Books& b, const std::string& text) {
         b.credits().allocate(
             {.user_id = kAda, .credits = 1, .allocated_by = "x", .idempotency_key = text});
       }},
      {"credits.balance", "user_id", 50,
       [](Books& b, const std::string& text) { static_cast<void>(b.credits().balance(text)); }},
      {"credits.check", "user_id", 50,
       [](Books& b, const std::string& text) {
         static_cast<void>(b.credits().check({text, 1}));
       }},
      {"credits.deduct", "user_id", 50,
       [](Books& b, const std::string& text) {
         b.credits().deduct({text, 1});
       }},
      {"credits.deduct", "idempotency_key", 255,
       [](Books& b, const std::string& text) {
         b.credits().deduct({kAda, 1, text});
       }},
      {"credits.charge", "user_id", 50,
       [](Books& b, const std::string& text) {
         b.credits().charge({text, "s", "o", 1});
       }},
      {"credits.charge", "service", 50,
       [](Books& b, const std::string& text) {
         b.credits().charge({kAda, text, "o", 1});
       }},
      {"credits.charge", "operation", 100,
       [](Books& b, const std::string& text) {
         b.credits().charge({kAda, "s", text, 1});
       }},
      {"credits.charge", "idempotency_key", 255,
       [](Books& b, const std::string& text) {
         b.credits().charge({kAda, "s", "o", 1, std::nullopt, text});
       }},
      {"credits.history", "user_id", 50,
       [](Books& b, const std::string& text) { static_cast<void>(b.credits().history({text})); }},
      {"credits.entries", "user_id", 50,
       [](Books& b, const std::string& text) { static_cast<void>(b.credits().entries({text})); }},
      {"credits.revoke", "user_id", 50,
       [](Books& b, const std::string& text) {
         b.credits().revoke({1, text, "x"});
       }},
      {"credits.revoke", "revoked_by", 50,
       [](Books& b, const std::string& text) {
         b.credits().revoke({1, kAda, text});
       }},
  };
}

std::vector<TextArgument> session_arguments() {
  return {
      {"sessions.initialize", "session_id", 100,
       [](Books& b, const std::string& text) {
         b.sessions().initialize({text, kAda, "m", 1});
       }},
      {"sessions.initialize", "user_id", 50,
       [](Books& b, const std::string& text) {
         b.sessions().initialize({"free", text, "m", 1});
       }},
      {"sessions.initialize", "model_id", 100,
       [](Books& b, const std::string& text) {
         b.sessions().initialize({"free", kAda, text, 1});
       }},
      {"sessions.get", "session_id", 100,
       [](Books& b, const std::string& text) {
         static_cast<void>(b.sessions().get({text, kAda}));
       }},
      {"sessions.get", "user_id", 50,
       [](Books& b, const std::string& text) {
         static_cast<void>(b.sessions().get({"active", text}));
       }},
      {"sessions.report", "session_id", 100,
       [](Books& b, const std::string& text) {
         b.sessions().report({text, kAda, 1});
       }},
      {"sessions.report", "user_id", 50,
       [](Books& b, const std::string& text) {
         b.sessions().report({"active", text, 1});
       }},
      {"sessions.extend", "session_id", 100,
       [](Books& b, const std::string& text) {
         b.sessions().extend({text, kAda, 1});
       }},
      {"sessions.extend", "user_id", 50,
       [](Books& b, const std::string& text) {
         b.sessions().extend({"active", text, 1});
       }},
      {"sessions.extend", "idempotency_key", 255,
       [](Books& b, const std::string& text) {
         b.sessions().extend({"active", kAda, 1, text});
       }},
      {"sessions.finalize", "session_id", 100,
       [](Books& b, const std::string& text) {
         b.sessions().finalize({text, kAda, 1});
       }},
      {"sessions.finalize", "user_id", 50,
       [](Books& b, const std::string& text) {
         b.sessions().finalize({"active", text, 1});
       }},
      {"sessions.abort", "session_id", 100,
       [](Books& b, const std::string& text) {
         b.sessions().abort({text, kAda});
       }},
      {"sessions.abort", "user_id", 50,
       [](Books& b, const std::string& text) {
         b.sessions().abort({"active", text});
       }},
      {"sessions.active", "user_id", 50,
       [](Books& b, const std::string& text) { static_cast<void>(b.sessions().active(text)); }},
  };
}

std::vector<TextArgument> usage_and_price_arguments() {
  return {
      {"usage.record", "user_id", 50,
       [](Books& b, const std::string& text) {
         b.usage().record({text, "s", "o", 1});
       }},
      {"usage.record", "service", 50,
       [](Books& b, const std::string& text) {
         b.usage().record({kAda, text, "o", 1});
       }},
      {"usage.record", "operation", 100,
       [](Books& b, const std::string& text) {
         b.usage().record({kAda, "s", text, 1});
       }},
      {"usage.record", "idempotency_key", 255,
       [](Books& b, const std::string& text) {
         b.usage().record({kAda, "s", "o", 1, std::nullopt, text});
       }},
      {"usage.list", "user_id", 50,
       [](Books& b, const std::string& text) { static_cast<void>(b.usage().list({text})); }},
      {"usage.user_stats", "user_id", 50,
       [](Books& b, const std::string& text) { static_cast<void>(b.usage().user_stats({text})); }},
      {"pricing.set", "model_id", 100,
       [](Books& b, const std::string& text) {
         b.pricing().set({text, "1", "x"});
       }},
      {"pricing.set", "created_by", 50,
       [](Books& b, const std::string& text) {
         b.pricing().set({"new", "1", text});
       }},
      {"pricing.get", "model_id", 100,
       [](Books& b, const std::string& text) { static_cast<void>(b.pricing().get({text})); }},
      {"pricing.list", "model_id", 100,
       [](Books& b, const std::string& text) { static_cast<void>(b.pricing().list({text})); }},
      {"pricing.calculate", "model_id", 100,
       [](Books& b, const std::string& text) {
         static_cast<void>(b.pricing().calculate({text, 1}));
       }},
  };
}

/// In the second request of several, so that the first would be carried out.
std::vector<TextArgument> element_arguments() {
  return {
      {"credits.allocate_many", "requests[1].user_id", 50,
       [](Books& b, const std::string& text) {
         b.credits().allocate_many({{kAda, 1, "x"}, {text, 1, "x"}});
       }},
      {"credits.allocate_many", "requests[1].allocated_by", 50,
       [](Books& b, const std::string& text) {
         b.credits().allocate_many({{kAda, 1, "x"}, {kAda, 1, text}});
       }},
      {"credits.allocate_many", "requests[1].idempotency_key", 255,
       [](Books& b, const std::string& text) {
         b.credits().allocate_many(
             {{kAda, 1, "x"},
              {.user_id = kAda, .credits = 1, .allocated_by = "x", .idempotency_key = text}});
       }},
      {"usage.record_many", "requests[1].user_id", 50,
       [](Books& b, const std::string& text) {
         b.usage().record_many({{kAda, "s", "o", 1}, {text, "s", "o", 1}});
       }},
      {"usage.record_many", "requests[1].service", 50,
       [](Books& b, const std::string& text) {
         b.usage().record_many({{kAda, "s", "o", 1}, {kAda, text, "o", 1}});
       }},
      {"usage.record_many", "requests[1].operation", 100,
       [](Books& b, const std::string& text) {
         b.usage().record_many({{kAda, "s", "o", 1}, {kAda, "s", text, 1}});
       }},
      {"usage.record_many", "requests[1].idempotency_key", 255,
       [](Books& b, const std::string& text) {
         b.usage().record_many({{kAda, "s", "o", 1}, {kAda, "s", "o", 1, std::nullopt, text}});
       }},
      // Each of these by itself.
      {"credits.charge_many", "user_id", 50,
       [](Books& b, const std::string& text) {
         static_cast<void>(b.credits().charge_many({{text, "s", "o", 1}}).at(0).value());
       }},
      {"credits.charge_many", "service", 50,
       [](Books& b, const std::string& text) {
         static_cast<void>(b.credits().charge_many({{kAda, text, "o", 1}}).at(0).value());
       }},
      {"credits.charge_many", "operation", 100,
       [](Books& b, const std::string& text) {
         static_cast<void>(b.credits().charge_many({{kAda, "s", text, 1}}).at(0).value());
       }},
      {"credits.charge_many", "idempotency_key", 255,
       [](Books& b, const std::string& text) {
         const ChargeRequest request{kAda, "s", "o", 1, std::nullopt, text};
         static_cast<void>(b.credits().charge_many({request}).at(0).value());
       }},
      {"transaction", "users", 50,
       [](Books& b, const std::string& text) {
         static_cast<void>(b.accounting().transaction({kAda, text}));
       }},
      {"transact", "users", 50,
       [](Books& b, const std::string& text) {
         b.accounting().transact(
             [](Transaction& t) {
               t.credits().deduct({kAda, 1});
             },
             {kAda, text});
       }},
  };
}

std::vector<TextArgument> key_and_audit_arguments() {
  return {
      {"api_keys.create", "user_id", 50,
       [](Books& b, const std::string& text) {
         keys_of(b).create({text, "k"});
       }},
      {"api_keys.create", "name", 100,
       [](Books& b, const std::string& text) {
         keys_of(b).create({kAda, text});
       }},
      {"api_keys.create", "permissions", 50,
       [](Books& b, const std::string& text) {
         keys_of(b).create({kAda, "k", {"credits:read", text}});
       }},
      {"api_keys.list", "user_id", 50,
       [](Books& b, const std::string& text) { static_cast<void>(keys_of(b).list(text)); }},
      {"api_keys.update", "user_id", 50,
       [](Books& b, const std::string& text) {
         keys_of(b).update({1, text, "new"});
       }},
      {"api_keys.update", "name", 100,
       [](Books& b, const std::string& text) {
         keys_of(b).update({1, kAda, text});
       }},
      {"api_keys.update", "permissions", 50,
       [](Books& b, const std::string& text) {
         keys_of(b).update({.key_id = 1, .user_id = kAda, .permissions = {{"admin", text}}});
       }},
      {"api_keys.rotate", "user_id", 50,
       [](Books& b, const std::string& text) {
         keys_of(b).rotate({1, text});
       }},
      {"api_keys.revoke", "user_id", 50,
       [](Books& b, const std::string& text) {
         keys_of(b).revoke({1, text});
       }},
      {"api_keys.remove", "user_id", 50,
       [](Books& b, const std::string& text) {
         keys_of(b).remove({1, text});
       }},
      // Why a key is not accepted is not said.
      {"api_keys.validate", "key", 100,
       [](Books& b, const std::string& text) { static_cast<void>(keys_of(b).validate(text)); },
       "invalid_api_key"},
      {"audit.list", "user_id", 50,
       [](Books& b, const std::string& text) {
         static_cast<void>(b.accounting().audit().list({.user_id = text}));
       }},
      {"audit.list", "actor", 74,
       [](Books& b, const std::string& text) {
         static_cast<void>(b.accounting().audit().list({.actor = text}));
       }},
  };
}

void add_cases(std::vector<BadInput>& cases, const std::vector<TextArgument>& arguments) {
  for (const auto& argument : arguments) {
    struct Text {
      const char* what;
      std::string text;
    };
    const std::size_t longest = argument.longest;
    std::vector<Text> texts = {
        {"too long by a byte", std::string(longest + 1, 'x')},
        {"too long in bytes, not in characters", std::string(longest - 1, 'x') + "\xC3\xAB"},
        {"1 MB", std::string(1'000'000, 'x')},
        {"with a NUL byte", std::string("a\0b", 3)},
        {"not UTF-8", "a\xFF"},
        {"UTF-8 cut short", "a\xC3"},
        {"UTF-8 of a surrogate", "\xED\xA0\x80"},
        {"UTF-8 longer than needed", "\xC0\xAF"},
    };
    const std::string name = std::string(argument.call_name) + ": " + argument.argument;
    if (!kMayBeEmpty.contains(name)) {
      texts.push_back({"empty", ""});
    }
    for (const auto& [what, text] : texts) {
      cases.push_back({name + " " + what,
                       [call = argument.call, text = text](Books& books) { call(books, text); },
                       argument.outcome});
    }
  }
}

}  // namespace

std::vector<BadInput> bad_texts() {
  std::vector<BadInput> cases;
  add_cases(cases, account_arguments());
  add_cases(cases, credit_arguments());
  add_cases(cases, session_arguments());
  add_cases(cases, usage_and_price_arguments());
  add_cases(cases, element_arguments());
  add_cases(cases, key_and_audit_arguments());
  return cases;
}

}  // namespace accounting::testing
