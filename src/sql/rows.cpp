#include "sql/rows.hpp"

#include "domain/encoding.hpp"
#include "domain/words.hpp"

#include <nlohmann/json.hpp>

namespace accounting::sql {
namespace {

std::optional<Price> read_optional_price(RowReader& reader) {
  const std::optional<std::string> text = reader.optional_text();
  return text ? std::optional(Price(*text)) : std::nullopt;
}

std::optional<Tokens> read_optional_tokens(RowReader& reader) {
  const std::optional<std::string> text = reader.optional_text();
  return text ? std::optional(domain::decode_tokens(*text)) : std::nullopt;
}

}  // namespace

UserAccount read_account(const Row& row) {
  RowReader reader(row);
  return {.user_id = reader.text(),
          .email = reader.text(),
          .username = reader.text(),
          .role = domain::role_of(reader.text()),
          .created_at = reader.instant(),
          .updated_at = reader.instant()};
}

domain::AccountCounters read_counters(const Row& row) {
  RowReader reader(row);
  return {.last_allocation_id = reader.integer(),
          .last_usage_id = reader.integer(),
          .last_entry_sequence = reader.integer(),
          .allocated_credits = reader.integer(),
          .used_credits = reader.integer(),
          .last_entry_hash = reader.text()};
}

CreditAllocation read_allocation(const Row& row) {
  RowReader reader(row);
  return {.id = reader.integer(),
          .user_id = reader.text(),
          .total_credits = reader.integer(),
          .remaining_credits = reader.integer(),
          .held_credits = reader.integer(),
          .consumed_credits = reader.integer(),
          .revoked_credits = reader.integer(),
          .moved_credits = reader.integer(),
          .allocated_by = reader.text(),
          .allocated_at = reader.instant(),
          .effective_at = reader.instant(),
          .expires_at = reader.optional_instant(),
          .notes = reader.text(),
          .revoked_at = reader.optional_instant(),
          .revoked_by = reader.optional_text()};
}

domain::AllocationState read_allocation_state(RowReader& reader) {
  domain::AllocationState state;
  state.position.id = reader.integer();
  state.position.allocated_at = reader.instant();
  state.effective_at = reader.instant();
  state.position.expires_at = reader.optional_instant();
  state.remaining = reader.integer();
  state.revoked = reader.optional_instant().has_value();
  return state;
}

domain::AllocationState state_of(const CreditAllocation& allocation) {
  return {.position = {.expires_at = allocation.expires_at,
                       .allocated_at = allocation.allocated_at,
                       .id = allocation.id},
          .effective_at = allocation.effective_at,
          .remaining = allocation.remaining_credits,
          .revoked = allocation.revoked_at.has_value()};
}

domain::SessionRecord read_session(const Row& row) {
  RowReader reader(row);
  domain::SessionRecord record;
  StreamingSession& session = record.session;
  session.user_id = reader.text();
  session.session_id = reader.text();
  session.model_id = reader.text();
  session.estimated_credits = reader.integer();
  session.allocated_credits = reader.integer();
  session.used_credits = reader.integer();
  session.status = domain::session_status_of(reader.text());
  session.started_at = reader.instant();
  session.completed_at = reader.optional_instant();
  session.last_activity_at = reader.instant();
  session.expires_at = reader.instant();
  record.first_tokens = domain::decode_tokens(reader.text());
  session.estimated_tokens = domain::decode_tokens(reader.text());
  session.reported_tokens = read_optional_tokens(reader);
  if (const std::optional<Tokens> ended = read_optional_tokens(reader)) {
    record.ending = domain::Ending{.status = session.status, .tokens = *ended};
  }
  record.prices = domain::decode_prices(reader.text());
  record.policy = domain::decode_policy(reader.text());
  record.usage_id = reader.optional_integer();
  record.refund = reader.integer();
  record.overage = reader.integer();
  record.uncollected = reader.integer();
  return record;
}

UsageRecord read_usage(const Row& row) {
  RowReader reader(row);
  return {.id = reader.integer(),
          .user_id = reader.text(),
          .timestamp = reader.instant(),
          .service = reader.text(),
          .operation = reader.text(),
          .credits = reader.integer(),
          .collected_credits = reader.integer(),
          .metadata = canonical_json(reader.optional_text())};
}

CreditEntry read_entry(const Row& row) {
  RowReader reader(row);
  return {.sequence = reader.integer(),
          .user_id = reader.text(),
          .allocation_id = reader.integer(),
          .kind = domain::entry_kind_of(reader.text()),
          .credits = reader.integer(),
          .held_credits = reader.integer(),
          .session_id = reader.optional_text(),
          .usage_id = reader.optional_integer(),
          .actor = reader.text(),
          .created_at = reader.instant(),
          .hash = reader.optional_text().value_or("")};
}

domain::KeyRecord read_key(const Row& row) {
  RowReader reader(row);
  return {.key = reader.text(),
          .operation = reader.text(),
          .fingerprint = reader.text(),
          .answer = reader.text(),
          .created_at = reader.instant()};
}

domain::ApiKeyRecord read_api_key(const Row& row) {
  RowReader reader(row);
  domain::ApiKeyRecord record;
  ApiKey& key = record.api_key;
  record.key_hash = reader.text();
  key.id = reader.integer();
  key.user_id = reader.text();
  key.name = reader.text();
  key.prefix = reader.text();
  key.last_four = reader.text();
  key.permissions = nlohmann::json::parse(reader.text()).get<std::vector<std::string>>();
  key.is_active = reader.flag();
  key.created_at = reader.instant();
  key.expires_at = reader.optional_instant();
  key.last_used = reader.optional_instant();
  key.revoked_at = reader.optional_instant();
  record.deleted_at = reader.optional_instant();
  record.lifetime = reader.optional_integer();
  return record;
}

AuditEntry read_audit(const Row& row) {
  RowReader reader(row);
  return {.user_id = reader.text(),
          .id = reader.integer(),
          .actor = reader.text(),
          .operation = reader.text(),
          .subject = reader.text(),
          .details = nlohmann::json::parse(reader.text()).dump(),
          .created_at = reader.instant()};
}

Value words_value(const std::vector<std::string>& words) { return nlohmann::json(words).dump(); }

PricingRule read_rule(const Row& row) {
  RowReader reader(row);
  return {.id = reader.integer(),
          .model_id = reader.text(),
          .price_per_1k_tokens = Price(reader.text()),
          .input = read_optional_price(reader),
          .output = read_optional_price(reader),
          .cached_input = read_optional_price(reader),
          .effective_from = reader.instant(),
          .effective_to = reader.optional_instant(),
          .created_by = reader.text()};
}

std::optional<std::string> canonical_json(std::optional<std::string> text) {
  return text ? std::optional(nlohmann::json::parse(*text).dump()) : std::nullopt;
}

Value optional_value(const std::optional<std::string>& text) {
  return text ? Value(*text) : Value();
}
Value optional_value(const std::optional<std::int64_t>& number) {
  return number ? Value(*number) : Value();
}
Value optional_value(const std::optional<Timestamp>& instant) {
  return instant ? Value(*instant) : Value();
}
Value optional_value(const std::optional<Price>& price) {
  return price ? Value(price->to_string()) : Value();
}

}  // namespace accounting::sql
