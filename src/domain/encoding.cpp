#include "domain/encoding.hpp"

#include <nlohmann/json.hpp>

#include <array>

namespace accounting::domain {
namespace {

using Json = nlohmann::json;

Json tokens_json(const Tokens& tokens) {
  if (!tokens.by_kind()) {
    return tokens.number();
  }
  const TokenCounts counts = tokens.counts();
  return {
      {"input", counts.input}, {"output", counts.output}, {"cached_input", counts.cached_input}};
}

Tokens tokens_of(const Json& value) {
  if (value.is_number_integer()) {
    return {value.get<std::int64_t>()};
  }
  return {TokenCounts{.input = value.at("input").get<std::int64_t>(),
                      .output = value.at("output").get<std::int64_t>(),
                      .cached_input = value.at("cached_input").get<std::int64_t>()}};
}

Json instant_json(Timestamp instant) { return instant.time_since_epoch().count(); }

Json instant_json(const std::optional<Timestamp>& instant) {
  return instant ? instant_json(*instant) : Json();
}

Timestamp instant_of(const Json& value) {
  return Timestamp(std::chrono::microseconds(value.get<std::int64_t>()));
}

std::optional<Timestamp> optional_instant_of(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional(instant_of(value));
}

Json slices_json(const std::vector<Slice>& slices) {
  Json list = Json::array();
  for (const Slice& slice : slices) {
    list.push_back({slice.allocation_id, slice.credits});
  }
  return list;
}

Deduction deduction_of(const Json& value, std::int64_t credits) {
  Deduction deduction{.credits = credits, .slices = {}};
  for (const Json& slice : value) {
    deduction.slices.push_back({.allocation_id = slice.at(0).get<std::int64_t>(),
                                .credits = slice.at(1).get<std::int64_t>()});
  }
  return deduction;
}

UsageRecord usage_of(const Json& value, const std::string& user_id, const UsageDetails& usage,
                     std::int64_t collected) {
  return {.id = value.at("usage_id").get<std::int64_t>(),
          .user_id = user_id,
          .timestamp = instant_of(value.at("timestamp")),
          .service = usage.service,
          .operation = usage.operation,
          .credits = usage.credits,
          .collected_credits = collected,
          .metadata = usage.metadata};
}

Json answer_json(const CreditAllocation& allocation) {
  return {{"allocation_id", allocation.id},
          {"allocated_at", instant_json(allocation.allocated_at)},
          {"effective_at", instant_json(allocation.effective_at)},
          {"expires_at", instant_json(allocation.expires_at)}};
}
Json answer_json(const Deduction& deduction) { return {{"slices", slices_json(deduction.slices)}}; }
Json answer_json(const UsageRecord& record) {
  return {{"usage_id", record.id}, {"timestamp", instant_json(record.timestamp)}};
}
Json answer_json(const Charge& charge) {
  Json value = answer_json(charge.usage_record);
  value["slices"] = slices_json(charge.deduction.slices);
  return value;
}
Json answer_json(const StreamingSession& session) {
  return {
      {"model_id", session.model_id},
      {"estimated_tokens", tokens_json(session.estimated_tokens)},
      {"reported_tokens", session.reported_tokens ? tokens_json(*session.reported_tokens) : Json()},
      {"estimated_credits", session.estimated_credits},
      {"allocated_credits", session.allocated_credits},
      {"started_at", instant_json(session.started_at)},
      {"last_activity_at", instant_json(session.last_activity_at)},
      {"expires_at", instant_json(session.expires_at)}};
}
// Ends of sessions replay from the session's own row, and nothing else is stored behind a key.
Json answer_json(const Settlement&) { return Json::object(); }
Json answer_json(const NothingToDo&) { return Json::object(); }

CreditAllocation allocation_of(const Json& value, const std::string& user_id,
                               const Allocate& request) {
  CreditAllocation allocation;
  allocation.id = value.at("allocation_id").get<std::int64_t>();
  allocation.user_id = user_id;
  allocation.total_credits = request.credits;
  allocation.remaining_credits = request.credits;
  allocation.allocated_by = request.allocated_by;
  allocation.allocated_at = instant_of(value.at("allocated_at"));
  allocation.effective_at = instant_of(value.at("effective_at"));
  allocation.expires_at = optional_instant_of(value.at("expires_at"));
  allocation.notes = request.notes;
  return allocation;
}

StreamingSession session_of(const Json& value, const std::string& user_id,
                            const std::string& session_id) {
  StreamingSession session;
  session.session_id = session_id;
  session.user_id = user_id;
  session.model_id = value.at("model_id").get<std::string>();
  session.estimated_tokens = tokens_of(value.at("estimated_tokens"));
  if (!value.at("reported_tokens").is_null()) {
    session.reported_tokens = tokens_of(value.at("reported_tokens"));
  }
  session.estimated_credits = value.at("estimated_credits").get<std::int64_t>();
  session.allocated_credits = value.at("allocated_credits").get<std::int64_t>();
  session.started_at = instant_of(value.at("started_at"));
  session.last_activity_at = instant_of(value.at("last_activity_at"));
  session.expires_at = instant_of(value.at("expires_at"));
  return session;
}

Json optional_price(const std::optional<Price>& price) {
  return price ? Json(price->to_string()) : Json();
}

std::optional<Price> optional_price_of(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional(Price(value.get<std::string>()));
}

}  // namespace

std::string encode_tokens(const Tokens& tokens) { return tokens_json(tokens).dump(); }

Tokens decode_tokens(std::string_view text) { return tokens_of(Json::parse(text)); }

std::string encode_prices(const TokenPrices& prices) {
  return Json{{"price_per_1k_tokens", prices.price_per_1k_tokens.to_string()},
              {"input", optional_price(prices.input)},
              {"output", optional_price(prices.output)},
              {"cached_input", optional_price(prices.cached_input)}}
      .dump();
}

TokenPrices decode_prices(std::string_view text) {
  const Json value = Json::parse(text);
  return {.price_per_1k_tokens = Price(value.at("price_per_1k_tokens").get<std::string>()),
          .input = optional_price_of(value.at("input")),
          .output = optional_price_of(value.at("output")),
          .cached_input = optional_price_of(value.at("cached_input"))};
}

std::string encode_policy(const PinnedPolicy& policy) {
  return Json{{"buffer", policy.buffer},
              {"refund", policy.refund == RefundPolicy::to_source ? "to_source" : "new_allocation"},
              {"refund_expiry_days", policy.refund_expiry_days},
              {"overage", policy.overage == OveragePolicy::charge ? "charge" : "absorb"},
              {"session_ttl", policy.session_ttl.count()}}
      .dump();
}

PinnedPolicy decode_policy(std::string_view text) {
  const Json value = Json::parse(text);
  return {
      .buffer = value.at("buffer").get<std::int64_t>(),
      .refund = value.at("refund") == "to_source" ? RefundPolicy::to_source
                                                  : RefundPolicy::new_allocation,
      .refund_expiry_days = value.at("refund_expiry_days").get<std::int64_t>(),
      .overage = value.at("overage") == "charge" ? OveragePolicy::charge : OveragePolicy::absorb,
      .session_ttl = std::chrono::microseconds(value.at("session_ttl").get<std::int64_t>())};
}

std::string encode_answer(const Answer& answer, std::optional<std::int64_t> last_entry) {
  Json value = std::visit([](const auto& given) { return answer_json(given); }, answer);
  if (last_entry) {
    value["entry"] = *last_entry;
  }
  return value.dump();
}

Answer decode_answer(std::string_view text, const Command& command) {
  const Json value = Json::parse(text);
  if (const auto* request = std::get_if<Allocate>(&command.action)) {
    return allocation_of(value, command.user_id, *request);
  }
  if (const auto* request = std::get_if<Deduct>(&command.action)) {
    return deduction_of(value.at("slices"), request->credits);
  }
  if (const auto* request = std::get_if<ChargeUsage>(&command.action)) {
    const std::int64_t credits = request->usage.credits;
    return Charge{.usage_record = usage_of(value, command.user_id, request->usage, credits),
                  .deduction = deduction_of(value.at("slices"), credits)};
  }
  if (const auto* request = std::get_if<RecordUsage>(&command.action)) {
    return usage_of(value, command.user_id, request->usage, 0);
  }
  return session_of(value, command.user_id, std::get<Extend>(command.action).session_id);
}

std::string session_metadata(const SessionRecord& record, const Tokens& tokens, Timestamp ended) {
  const auto lasted = std::max(ended - record.session.started_at, std::chrono::microseconds(0));
  return Json{{"session_id", record.session.session_id},
              {"tokens", tokens_json(tokens)},
              {"estimated_credits", record.session.estimated_credits},
              {"duration", std::chrono::duration<double>(lasted).count()}}
      .dump();
}

std::string_view operation_name(const Action& action) {
  // In the order of Action's alternatives.
  constexpr std::array<std::string_view, std::variant_size_v<Action>> names{
      "allocate", "deduct", "charge",   "record", "revoke", "initialize",
      "report",   "extend", "finalize", "abort",  "expire"};
  return names.at(action.index());
}

}  // namespace accounting::domain
