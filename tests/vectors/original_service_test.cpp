// The original service's own answers, recorded: under Policy::original() this library gives them.
#include "support/books.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

using Json = nlohmann::json;

/// Keeps the members of `answer` that the recording has: it left out what did not add up.
Json as_recorded(const Json& answer, const Json& recorded) {
  Json kept = Json::object();
  for (const auto& [name, value] : recorded.items()) {
    kept[name] = answer.at(name);
  }
  return kept;
}

Json allocations_of(Books& books, const std::string& user_id) {
  Json list = Json::array();
  for (const auto& item : books.credits().balance(user_id).active_allocations) {
    const auto left = std::chrono::round<days>(item.expires_at.value() - books.now());
    list.push_back({{"credits", item.remaining_credits}, {"expires_in_days", left.count()}});
  }
  return list;
}

/// Replays one scenario on fresh books.
class Replay {
 public:
  Replay(Books& books, const Json& scenario) : books_(books) {
    for (const auto& user : scenario.at("users")) {
      books.account(user.get<std::string>());
    }
    for (const auto& price : scenario.at("pricing")) {
      books.pricing().set(
          {.model_id = price.at("model_id").get<std::string>(),
           .price_per_1k_tokens = price.at("price_per_1k_tokens").get<std::string>(),
           .created_by = "recorder",
           .effective_from = kStart - days(1)});
    }
  }

  /// Makes the step's call and answers it as the recording would: a result, an error's name, or
  /// null where the original answered nothing.
  Json run(const Json& step) {
    step_ = &step;
    const auto op = text("op");
    try {
      const Json answer = call(op);
      return step.contains("result") && answer.is_object() ? as_recorded(answer, step.at("result"))
                                                           : answer;
    } catch (const InsufficientCredits& error) {
      return Json{{"error", to_string(error.code())}};
    }
  }

 private:
  [[nodiscard]] std::string text(const char* name) const {
    return step_->at(name).get<std::string>();
  }
  [[nodiscard]] std::int64_t number(const char* name) const {
    return step_->at(name).get<std::int64_t>();
  }

  Json call(const std::string& op) {
    if (op == "allocate") {
      books_.give(text("user_id"), number("credits"), number("expiry_days"));
      return nullptr;
    }
    if (op == "deduct") {
      books_.credits().deduct({.user_id = text("user_id"), .credits = number("credits")});
      return nullptr;
    }
    if (op == "check") {
      return {{"sufficient", books_.credits().check({text("user_id"), number("credits")})}};
    }
    if (op == "calculate") {
      return {{"credits", books_.pricing().calculate({text("model_id"), number("tokens")})}};
    }
    if (op == "balance") {
      return {{"total_credits", books_.balance(text("user_id"))},
              {"active_allocations", allocations_of(books_, text("user_id"))}};
    }
    if (op == "user_stats") {
      const auto stats = books_.usage().user_stats({text("user_id")});
      return {{"total_records", stats.total_records},
              {"total_credits", stats.total_credits},
              {"by_service", stats.by_service},
              {"by_model", stats.by_model}};
    }
    if (op == "system_stats") {
      const auto stats = books_.usage().system_stats();
      return {{"total_records", stats.total_records},
              {"total_credits", stats.total_credits},
              {"by_user", stats.by_user},
              {"by_service", stats.by_service},
              {"by_model", stats.by_model}};
    }
    return call_session(op);
  }

  Json call_session(const std::string& op) {
    auto sessions = books_.sessions();
    if (op == "initialize") {
      const auto session = sessions.initialize(
          {text("session_id"), text("user_id"), text("model_id"), number("estimated_tokens")});
      return {{"estimated_credits", session.estimated_credits},
              {"allocated_credits", session.allocated_credits}};
    }
    if (op == "finalize") {
      return settled(
          sessions.finalize({text("session_id"), text("user_id"), number("actual_tokens"),
                             step_->at("success").get<bool>()}));
    }
    if (op == "abort") {
      return settled(
          sessions.abort({text("session_id"), text("user_id"), number("tokens_generated")}));
    }
    if (op == "active_sessions") {
      std::vector<std::string> ids;
      for (const auto& session : sessions.active(text("user_id"))) {
        ids.push_back(session.session_id);
      }
      std::ranges::sort(ids);
      return ids;
    }
    throw std::logic_error("a step of an unknown kind: " + op);
  }

  static Json settled(const Settlement& settlement) {
    // The original's refund reads negative where more was used than reserved, and its abort calls
    // the actual credits partial.
    return {{"status", to_string(settlement.status)},
            {"estimated_credits", settlement.estimated_credits},
            {"actual_credits", settlement.actual_credits},
            {"partial_credits", settlement.actual_credits},
            {"refund", settlement.refund - settlement.overage}};
  }

  Books& books_;
  const Json* step_ = nullptr;
};

Json expected_of(const Json& step) {
  if (step.contains("error")) {
    return {{"error", step.at("error")}};
  }
  return step.contains("result") ? step.at("result") : Json();
}

void replay_all(Database database, const Json& scenarios) {
  std::size_t steps = 0;
  std::map<std::string, std::size_t> by_op;
  for (const auto& scenario : scenarios) {
    const auto name = scenario.at("name").get<std::string>();
    CAPTURE(name);
    Books books(database, Setup{.policy = Policy::original()});
    Replay replay(books, scenario);
    std::size_t number = 0;
    for (const auto& step : scenario.at("steps")) {
      books.advance(1ms);
      const std::string what = "step " + std::to_string(++number) + ": " + step.dump();
      CAPTURE(what);
      CHECK(replay.run(step).dump() == expected_of(step).dump());
      ++by_op[step.at("op").get<std::string>()];
      ++steps;
    }
    check_books_balance(books.accounting());
  }
  CHECK(scenarios.size() == 150);
  CHECK(steps == 2'716);
  std::string kinds;
  for (const auto& [op, count] : by_op) {
    kinds += " " + op + " " + std::to_string(count);
  }
  MESSAGE(to_string(database) << ": " << scenarios.size() << " scenarios, " << steps
                              << " steps:" << kinds);
}

}  // namespace

TEST_CASE("the original service's answers are given under Policy::original()") {
  const auto shared = shared_directory_or_skip();
  if (!shared) {
    return;
  }
  std::ifstream file(*shared + "/vectors/original_service.json");
  REQUIRE(file);
  const Json scenarios = Json::parse(file);
  for (const Database database : {Database::sqlite_memory, Database::postgresql}) {
    SUBCASE(to_string(database).data()) {
      if (is_available_or_skip(database)) {
        replay_all(database, scenarios);
      }
    }
  }
}

}  // namespace accounting::testing
