#include "errors/bad_input.hpp"

#include <cstdint>
#include <limits>

namespace accounting::testing {
namespace {

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();

/// A number argument of a call and the values that it refuses.
struct NumberArgument {
  const char* call_name;
  const char* argument;
  std::vector<std::int64_t> values;
  std::function<void(Books&, std::int64_t)> call;
};

std::vector<NumberArgument> credit_numbers() {
  const std::vector<std::int64_t> bad_credits = {0, -1, kMostCredits + 1, kLowest, kHighest};
  const std::vector<std::int64_t> bad_limits = {0, -1, 1'001, kHighest};
  return {
      {"credits.allocate", "credits", bad_credits,
       [](Books& b, std::int64_t value) {
         b.credits().allocate(
             {.user_id = "ada", .credits = value, .allocated_by = "x", .idempotency_key = "free"});
       }},
      {"credits.allocate",
       "expiry_days",
       {0, -1, 1'000'001, kLowest, kHighest},
       [](Books& b, std::int64_t value) {
         b.credits().allocate({.user_id = "ada",
                               .credits = 1,
                               .allocated_by = "x",
                               .expiry_days = value,
                               .idempotency_key = "free"});
       }},
      {"credits.check",
       "credits",
       {-1, kMostCredits + 1, kLowest, kHighest},
       [](Books& b, std::int64_t value) {
         static_cast<void>(b.credits().check({"ada", value}));
       }},
      {"credits.deduct", "credits", bad_credits,
       [](Books& b, std::int64_t value) {
         b.credits().deduct({"ada", value, "free"});
       }},
      {"credits.charge", "credits", bad_credits,
       [](Books& b, std::int64_t value) {
         b.credits().charge({"ada", "s", "o", value, std::nullopt, "free"});
       }},
      {"usage.record", "credits", bad_credits,
       [](Books& b, std::int64_t value) {
         b.usage().record({"ada", "s", "o", value, std::nullopt, "free"});
       }},
      {"credits.revoke",
       "allocation_id",
       {0, -1},
       [](Books& b, std::int64_t value) {
         b.credits().revoke({value, "ada", "x"});
       }},
      {"credits.history",
       "page",
       {0, -1, kLowest, kHighest},
       [](Books& b, std::int64_t value) {
         static_cast<void>(b.credits().history({.user_id = "ada", .page = value}));
       }},
      {"accounts.list",
       "page",
       {0, -1, kLowest, kHighest},
       [](Books& b, std::int64_t value) { static_cast<void>(b.accounts().list({.page = value})); }},
      {"credits.history", "limit", bad_limits,
       [](Books& b, std::int64_t value) {
         static_cast<void>(b.credits().history({.user_id = "ada", .limit = value}));
       }},
      {"credits.entries", "limit", bad_limits,
       [](Books& b, std::int64_t value) {
         static_cast<void>(b.credits().entries({.user_id = "ada", .limit = value}));
       }},
      {"usage.list", "limit", bad_limits,
       [](Books& b, std::int64_t value) {
         static_cast<void>(b.usage().list({.user_id = "ada", .limit = value}));
       }},
      {"accounts.list", "limit", bad_limits,
       [](Books& b, std::int64_t value) {
         static_cast<void>(b.accounts().list({.limit = value}));
       }},
      {"sessions.expire_stale", "limit", bad_limits,
       [](Books& b, std::int64_t value) { b.sessions().expire_stale({.limit = value}); }},
  };
}

/// In the second request of several, so that the first would be carried out.
std::vector<NumberArgument> element_numbers() {
  const std::vector<std::int64_t> bad_credits = {0, -1, kMostCredits + 1, kLowest, kHighest};
  return {
      {"credits.allocate_many", "requests[1].credits", bad_credits,
       [](Books& b, std::int64_t value) {
         b.credits().allocate_many({{"ada", 1, "x"}, {"ada", value, "x"}});
       }},
      {"credits.allocate_many",
       "requests[1].expiry_days",
       {0, -1, 1'000'001, kLowest, kHighest},
       [](Books& b, std::int64_t value) {
         b.credits().allocate_many({{"ada", 1, "x"}, {"ada", 1, "x", value}});
       }},
      {"usage.record_many", "requests[1].credits", bad_credits,
       [](Books& b, std::int64_t value) {
         b.usage().record_many({{"ada", "s", "o", 1}, {"ada", "s", "o", value}});
       }},
      // Each of these by itself.
      {"credits.charge_many", "credits", bad_credits,
       [](Books& b, std::int64_t value) {
         static_cast<void>(b.credits().charge_many({{"ada", "s", "o", value}}).at(0).value());
       }},
  };
}

std::vector<NumberArgument> key_and_audit_numbers() {
  const std::vector<std::int64_t> bad_ids = {0, -1, kLowest};
  return {
      {"api_keys.create",
       "expiry_days",
       {0, -1, 1'000'001, kLowest, kHighest},
       [](Books& b, std::int64_t value) {
         keys_of(b).create({"ada", "k", {}, value});
       }},
      {"api_keys.update", "key_id", bad_ids,
       [](Books& b, std::int64_t value) {
         keys_of(b).update({value, "ada", "new"});
       }},
      {"api_keys.rotate", "key_id", bad_ids,
       [](Books& b, std::int64_t value) {
         keys_of(b).rotate({value, "ada"});
       }},
      {"api_keys.revoke", "key_id", bad_ids,
       [](Books& b, std::int64_t value) {
         keys_of(b).revoke({value, "ada"});
       }},
      {"api_keys.remove", "key_id", bad_ids,
       [](Books& b, std::int64_t value) {
         keys_of(b).remove({value, "ada"});
       }},
      {"audit.list",
       "page",
       {0, -1, kLowest, kHighest},
       [](Books& b, std::int64_t value) {
         static_cast<void>(b.accounting().audit().list({.page = value}));
       }},
      {"audit.list",
       "limit",
       {0, -1, 1'001, kLowest, kHighest},
       [](Books& b, std::int64_t value) {
         static_cast<void>(b.accounting().audit().list({.limit = value}));
       }},
      {"credits.entries",
       "after",
       {-1, kLowest},
       [](Books& b, std::int64_t value) {
         static_cast<void>(b.credits().entries({.user_id = "ada", .after = value}));
       }},
      {"usage.list",
       "after",
       {-1, kLowest},
       [](Books& b, std::int64_t value) {
         static_cast<void>(b.usage().list({.user_id = "ada", .after = value}));
       }},
  };
}

std::vector<NumberArgument> token_numbers() {
  const std::vector<std::int64_t> bad_tokens = {-1, kMostTokens + 1, kLowest, kHighest};
  return {
      {"sessions.initialize", "estimated_tokens", bad_tokens,
       [](Books& b, std::int64_t value) {
         b.sessions().initialize({"free", "ada", "m", value});
       }},
      {"sessions.report", "tokens_so_far", bad_tokens,
       [](Books& b, std::int64_t value) {
         b.sessions().report({"active", "ada", value});
       }},
      {"sessions.extend", "additional_tokens", bad_tokens,
       [](Books& b, std::int64_t value) {
         b.sessions().extend({"active", "ada", value, "free"});
       }},
      {"sessions.finalize", "actual_tokens", bad_tokens,
       [](Books& b, std::int64_t value) {
         b.sessions().finalize({"active", "ada", value});
       }},
      {"sessions.abort", "tokens_generated", bad_tokens,
       [](Books& b, std::int64_t value) {
         b.sessions().abort({"active", "ada", value});
       }},
      {"pricing.calculate", "tokens", bad_tokens,
       [](Books& b, std::int64_t value) {
         static_cast<void>(b.pricing().calculate({"m", value}));
       }},
      {"pricing.calculate of input", "tokens", bad_tokens,
       [](Books& b, std::int64_t value) {
         static_cast<void>(b.pricing().calculate({"m", TokenCounts{.input = value}}));
       }},
      {"pricing.calculate of output", "tokens", bad_tokens,
       [](Books& b, std::int64_t value) {
         static_cast<void>(b.pricing().calculate({"m", TokenCounts{.output = value}}));
       }},
      {"sessions.initialize of cached input", "estimated_tokens", bad_tokens,
       [](Books& b, std::int64_t value) {
         b.sessions().initialize({"free", "ada", "m", TokenCounts{.cached_input = value}});
       }},
  };
}

AllocateRequest until(std::optional<Timestamp> expires_at,
                      std::optional<Timestamp> effective_at = std::nullopt) {
  return {.user_id = "ada",
          .credits = 1,
          .allocated_by = "x",
          .expires_at = expires_at,
          .effective_at = effective_at,
          .idempotency_key = "free"};
}

std::vector<BadInput> instants() {
  const auto before_1970 = Timestamp{} - 1us;
  const auto after_9999 =
      Timestamp{std::chrono::sys_days{std::chrono::year{10'000} / std::chrono::January / 1}};
  const auto allocate = [](const AllocateRequest& request) {
    return [request](Books& books) { books.credits().allocate(request); };
  };
  const auto set_price = [](std::optional<Timestamp> from, std::optional<Timestamp> to) {
    return [from, to](Books& books) { books.pricing().set({"new", "1", "x", from, to}); };
  };
  return {
      {"credits.allocate: expires_at in the past", allocate(until(kStart - 1us)),
       "invalid_argument(expires_at)"},
      {"credits.allocate: expires_at now", allocate(until(kStart)), "invalid_argument(expires_at)"},
      {"credits.allocate: expires_at before effective_at",
       allocate(until(kStart + 1h, kStart + 2h)), "invalid_argument(expires_at)"},
      {"credits.allocate: expires_at before 1970", allocate(until(before_1970)),
       "invalid_argument(expires_at)"},
      {"credits.allocate: expires_at after 9999", allocate(until(after_9999)),
       "invalid_argument(expires_at)"},
      {"credits.allocate: expires_at at the end of time", allocate(until(Timestamp::max())),
       "invalid_argument(expires_at)"},
      {"credits.allocate: effective_at at the beginning of time",
       allocate(until(std::nullopt, Timestamp::min())), "invalid_argument(effective_at)"},
      {"credits.allocate: effective_at after 9999", allocate(until(std::nullopt, after_9999)),
       "invalid_argument(effective_at)"},
      {"pricing.set: effective_to at effective_from", set_price(kStart, kStart),
       "invalid_argument(effective_to)"},
      {"pricing.set: effective_to before now", set_price(std::nullopt, kStart - 1us),
       "invalid_argument(effective_to)"},
      {"pricing.set: effective_from after 9999", set_price(after_9999, std::nullopt),
       "invalid_argument(effective_from)"},
      {"pricing.set: effective_to after 9999", set_price(std::nullopt, after_9999),
       "invalid_argument(effective_to)"},
      {"pricing.get: at before 1970",
       [=](Books& b) {
         static_cast<void>(b.pricing().get({"m", before_1970}));
       },
       "invalid_argument(at)"},
      {"pricing.calculate: at after 9999",
       [=](Books& b) {
         static_cast<void>(b.pricing().calculate({"m", 1, after_9999}));
       },
       "invalid_argument(at)"},
      {"usage.list: start after end",
       [](Books& b) {
         static_cast<void>(b.usage().list({"ada", kStart + 1us, kStart}));
       },
       "invalid_argument(start)"},
      {"usage.user_stats: start after end",
       [](Books& b) {
         static_cast<void>(b.usage().user_stats({"ada", kStart + 1us, kStart}));
       },
       "invalid_argument(start)"},
      {"usage.system_stats: start after end",
       [](Books& b) {
         static_cast<void>(b.usage().system_stats({kStart + 1us, kStart}));
       },
       "invalid_argument(start)"},
      {"usage.list: start at the beginning of time",
       [](Books& b) {
         static_cast<void>(b.usage().list({"ada", Timestamp::min()}));
       },
       "invalid_argument(start)"},
      {"usage.system_stats: end at the end of time",
       [](Books& b) {
         static_cast<void>(b.usage().system_stats({std::nullopt, Timestamp::max()}));
       },
       "invalid_argument(end)"},
  };
}

}  // namespace

std::vector<BadInput> bad_numbers() {
  std::vector<BadInput> cases = instants();
  for (const auto& arguments :
       {credit_numbers(), element_numbers(), key_and_audit_numbers(), token_numbers()}) {
    for (const auto& argument : arguments) {
      for (const std::int64_t value : argument.values) {
        cases.push_back({std::string(argument.call_name) + ": " + argument.argument + " " +
                             std::to_string(value),
                         [call = argument.call, value](Books& books) { call(books, value); },
                         "invalid_argument(" + std::string(argument.argument) + ")"});
      }
    }
  }
  return cases;
}

}  // namespace accounting::testing
