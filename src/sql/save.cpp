// A decision's changes, stored: new rows inserted, loaded rows changed by what was decided. Each
// update must touch exactly the row that was loaded, or nothing of the transaction takes effect.
#include "domain/encoding.hpp"
#include "domain/words.hpp"
#include "sql/rows.hpp"
#include "sql/sql_session.hpp"

namespace accounting::sql {
namespace {

using enum Type;

const Statement insert_allocation{
    .name = "insert_allocation",
    .text =
        "INSERT INTO credit_allocations (user_id, id, total_credits, remaining_credits, "
        "allocated_by, allocated_at, effective_at, expires_at, notes) VALUES (:user_id, :id, "
        ":credits, :credits, :allocated_by, INSTANT(:allocated_at), INSTANT(:effective_at), "
        "INSTANT(:expires_at), :notes)",
    .parameters = {{"user_id", text},
                   {"id", integer},
                   {"credits", integer},
                   {"allocated_by", text},
                   {"allocated_at", instant},
                   {"effective_at", instant},
                   {"expires_at", instant},
                   {"notes", text}}};

const Statement change_allocation{
    .name = "change_allocation",
    .text =
        "UPDATE credit_allocations SET remaining_credits = remaining_credits + :remaining, "
        "held_credits = held_credits + :held, consumed_credits = consumed_credits + :consumed, "
        "revoked_credits = revoked_credits + :revoked, moved_credits = moved_credits + :moved "
        "WHERE user_id = :user_id AND id = :id",
    .parameters = {{"user_id", text},
                   {"id", integer},
                   {"remaining", integer},
                   {"held", integer},
                   {"consumed", integer},
                   {"revoked", integer},
                   {"moved", integer}},
    .touches_one_row = true};

const Statement mark_allocation_revoked{
    .name = "mark_allocation_revoked",
    .text =
        "UPDATE credit_allocations SET revoked_at = INSTANT(:revoked_at), "
        "revoked_by = :revoked_by WHERE user_id = :user_id AND id = :id "
        "AND revoked_at IS NULL",
    .parameters = {{"user_id", text},
                   {"id", integer},
                   {"revoked_at", instant},
                   {"revoked_by", text}},
    .touches_one_row = true};

std::vector<Parameter> with(std::vector<Parameter> parameters, const std::vector<Parameter>& more) {
  parameters.insert(parameters.end(), more.begin(), more.end());
  return parameters;
}

#define ACCOUNTING_INSERT_SESSION(prices)                                                      \
  "INSERT INTO streaming_sessions (user_id, session_id, model_id, estimated_credits, "         \
  "allocated_credits, used_credits, status, started_at, completed_at, last_activity_at, "      \
  "expires_at, first_tokens, estimated_tokens, reported_tokens, ended_tokens, prices, "        \
  "policy, usage_id, refund, overage, uncollected) VALUES (:user_id, :session_id, :model_id, " \
  ":estimated_credits, :allocated_credits, :used_credits, :status, "                           \
  "INSTANT(:started_at), INSTANT(:completed_at), INSTANT(:last_activity_at), "                 \
  "INSTANT(:expires_at), JSON(:first_tokens), JSON(:estimated_tokens), "                       \
  "JSON(:reported_tokens), JSON(:ended_tokens), JSON(" prices                                  \
  "), JSON(:policy), :usage_id, :refund, :overage, :uncollected)"

// What changes of a session in the course of time.
const std::vector<Parameter> session_state = {
    {"estimated_credits", integer}, {"allocated_credits", integer},
    {"used_credits", integer},      {"status", text},
    {"completed_at", instant},      {"last_activity_at", instant},
    {"expires_at", instant},        {"estimated_tokens", text},
    {"reported_tokens", text},      {"ended_tokens", text},
    {"usage_id", integer},          {"refund", integer},
    {"overage", integer},           {"uncollected", integer}};

const std::vector<Parameter> new_session = with({{"user_id", text},
                                                 {"session_id", text},
                                                 {"model_id", text},
                                                 {"started_at", instant},
                                                 {"first_tokens", text},
                                                 {"prices", text},
                                                 {"policy", text}},
                                                session_state);

const Statement insert_session{.name = "insert_session",
                               .text = ACCOUNTING_INSERT_SESSION(":prices"),
                               .parameters = new_session};

#define ACCOUNTING_RULE_IN_FORCE                                                            \
  "SELECT id FROM pricing_rules WHERE model_id = :model_id "                                \
  "AND effective_from <= INSTANT(:started_at) AND (effective_to IS NULL OR effective_to > " \
  "INSTANT(:started_at)) ORDER BY effective_from DESC LIMIT 1"

// On its own, since a database that is sharded by user takes no subselect among a new row's values.
const Statement compare_rule{
    .name = "compare_rule",
    .text = "SELECT 1 FROM (" ACCOUNTING_RULE_IN_FORCE ") AS in_force WHERE id = :rule_id",
    .parameters = {{"model_id", text}, {"started_at", instant}, {"rule_id", integer}},
    .touches_one_row = true};

// For SQLite, which cannot fail a SELECT. Where another rule is in force when the session begins,
// its prices are none, which no row may have.
const Statement insert_session_at_rule{
    .name = "insert_session_at_rule",
    .text = ACCOUNTING_INSERT_SESSION("(SELECT :prices WHERE :rule_id = (" ACCOUNTING_RULE_IN_FORCE
                                      "))"),
    .parameters = with(new_session, {{"rule_id", integer}})};

#undef ACCOUNTING_INSERT_SESSION
#undef ACCOUNTING_RULE_IN_FORCE

// Only an active session changes, so that none can end twice. Its status would say the same, but
// invites PostgreSQL to look for it among all active ones, in their partial index.
#define ACCOUNTING_CHANGE_SESSION                                                         \
  "UPDATE streaming_sessions SET estimated_credits = :estimated_credits, "                \
  "allocated_credits = :allocated_credits, used_credits = :used_credits, "                \
  "status = :status, completed_at = INSTANT(:completed_at), "                             \
  "last_activity_at = INSTANT(:last_activity_at), expires_at = INSTANT(:expires_at), "    \
  "estimated_tokens = JSON(:estimated_tokens), "                                          \
  "reported_tokens = JSON(:reported_tokens), ended_tokens = JSON(:ended_tokens), "        \
  "usage_id = :usage_id, refund = :refund, overage = :overage, "                          \
  "uncollected = :uncollected WHERE user_id = :user_id AND session_id = :session_id AND " \
  "completed_at IS NULL"

const std::vector<Parameter> changed_session =
    with({{"user_id", text}, {"session_id", text}}, session_state);

const Statement change_session{.name = "change_session",
                               .text = ACCOUNTING_CHANGE_SESSION,
                               .parameters = changed_session,
                               .touches_one_row = true};

// What the account's numbers do not tell of a session.
const Statement change_session_if_unchanged{
    .name = "change_session_if_unchanged",
    .text = ACCOUNTING_CHANGE_SESSION
    " AND estimated_tokens = JSON(:estimated_before) "
    "AND coalesce(reported_tokens, JSON('null')) = coalesce(JSON(:reported_before), JSON('null')) "
    "AND last_activity_at = INSTANT(:activity_before)",
    .parameters =
        with(changed_session,
             {{"estimated_before", text}, {"reported_before", text}, {"activity_before", instant}}),
    .touches_one_row = true};

#undef ACCOUNTING_CHANGE_SESSION

const Statement insert_slice{
    .name = "insert_slice",
    .text =
        "INSERT INTO session_slices (user_id, session_id, position, allocation_id, credits) "
        "VALUES (:user_id, :session_id, :position, :allocation_id, :credits)",
    .parameters = {{"user_id", text},
                   {"session_id", text},
                   {"position", integer},
                   {"allocation_id", integer},
                   {"credits", integer}}};

const Statement insert_usage{
    .name = "insert_usage",
    .text =
        "INSERT INTO usage_records (user_id, id, timestamp, service, operation, credits, "
        "collected_credits, metadata) VALUES (:user_id, :id, INSTANT(:timestamp), :service, "
        ":operation, :credits, :collected_credits, JSON(:metadata))",
    .parameters = {{"user_id", text},
                   {"id", integer},
                   {"timestamp", instant},
                   {"service", text},
                   {"operation", text},
                   {"credits", integer},
                   {"collected_credits", integer},
                   {"metadata", text}}};

const Statement insert_entry{
    .name = "insert_entry",
    .text =
        "INSERT INTO credit_entries (user_id, sequence, allocation_id, kind, credits, "
        "held_credits, session_id, usage_id, actor, created_at, hash) VALUES (:user_id, "
        ":sequence, :allocation_id, :kind, :credits, :held_credits, :session_id, :usage_id, "
        ":actor, INSTANT(:created_at), :hash)",
    .parameters = {{"user_id", text},
                   {"sequence", integer},
                   {"allocation_id", integer},
                   {"kind", text},
                   {"credits", integer},
                   {"held_credits", integer},
                   {"session_id", text},
                   {"usage_id", integer},
                   {"actor", text},
                   {"created_at", instant},
                   {"hash", text}}};

const Statement add_to_rollup{
    .name = "add_to_rollup",
    .text =
        "INSERT INTO usage_rollups (user_id, day, service, model, records, credits) "
        "VALUES (:user_id, DAY(:day), :service, :model, :records, :credits) "
        "ON CONFLICT (user_id, day, service, model) DO UPDATE SET "
        "records = usage_rollups.records + excluded.records, "
        "credits = usage_rollups.credits + excluded.credits",
    .parameters = {{"user_id", text},
                   {"day", instant},
                   {"service", text},
                   {"model", text},
                   {"records", integer},
                   {"credits", integer}}};

const Statement insert_key{
    .name = "insert_key",
    .text =
        "INSERT INTO idempotency_keys (user_id, idempotency_key, operation, fingerprint, "
        "answer, created_at) VALUES (:user_id, :key, :operation, :fingerprint, "
        "JSON(:answer), INSTANT(:created_at))",
    .parameters = {{"user_id", text},
                   {"key", text},
                   {"operation", text},
                   {"fingerprint", text},
                   {"answer", text},
                   {"created_at", instant}}};

#define ACCOUNTING_COUNTERS_ARE_AS_BEFORE                                         \
  "user_id = :user_id "                                                           \
  "AND last_allocation_id = :allocation_id_before "                               \
  "AND last_usage_id = :usage_id_before AND last_entry_sequence = :entry_before " \
  "AND last_entry_hash = :entry_hash_before"

// The numbers before are part of the condition: whoever took one meanwhile fails this update.
#define ACCOUNTING_ADVANCE_COUNTERS                                     \
  "UPDATE user_accounts SET last_allocation_id = :allocation_id, "      \
  "last_usage_id = :usage_id, last_entry_sequence = :entry_sequence, "  \
  "allocated_credits = allocated_credits + :allocated, "                \
  "used_credits = used_credits + :used, last_entry_hash = :entry_hash " \
  "WHERE " ACCOUNTING_COUNTERS_ARE_AS_BEFORE

const std::vector<Parameter> counters_before_and_after = {{"user_id", text},
                                                          {"allocation_id", integer},
                                                          {"usage_id", integer},
                                                          {"entry_sequence", integer},
                                                          {"allocated", integer},
                                                          {"used", integer},
                                                          {"entry_hash", text},
                                                          {"allocation_id_before", integer},
                                                          {"usage_id_before", integer},
                                                          {"entry_before", integer},
                                                          {"entry_hash_before", text}};

const Statement advance_counters{.name = "advance_counters",
                                 .text = ACCOUNTING_ADVANCE_COUNTERS,
                                 .parameters = counters_before_and_after,
                                 .touches_one_row = true};

// Every change of the account's credits has moved these numbers, and the hash stands for its whole
// journal. Whoever has the account is not waited for: an UPDATE knows no other way than a
// subselect, which finds nothing then.
const Statement advance_counters_if_free{
    .name = "advance_counters_if_free",
    .text = ACCOUNTING_ADVANCE_COUNTERS
    " AND user_id = (SELECT free.user_id FROM user_accounts AS free WHERE free.user_id = :user_id "
    "LOCK_ROW_IF_FREE)",
    .parameters = counters_before_and_after,
    .touches_one_row = true};

// Where no credit moves.
const Statement compare_counters_if_free{
    .name = "compare_counters_if_free",
    .text =
        "SELECT 1 FROM user_accounts WHERE " ACCOUNTING_COUNTERS_ARE_AS_BEFORE " LOCK_ROW_IF_FREE",
    .parameters = {{"user_id", text},
                   {"allocation_id_before", integer},
                   {"usage_id_before", integer},
                   {"entry_before", integer},
                   {"entry_hash_before", text}},
    .touches_one_row = true};

#undef ACCOUNTING_ADVANCE_COUNTERS
#undef ACCOUNTING_COUNTERS_ARE_AS_BEFORE

/// What was decided over without a look: each row that is written about must still be as it is
/// remembered.
struct Remembered {
  const store::Unit::Rules& rules;  ///< those that new sessions begin at
  bool locks_rows;                  ///< else the database is locked as a whole
};

/// `remembered`: none where what was decided over has been loaded and locked.
void save_counters(Batch& batch, const domain::CountersChange& change,
                   const Remembered* remembered) {
  const auto& [user_id, before, after] = change;
  const bool to_be_locked = remembered != nullptr && remembered->locks_rows;
  if (to_be_locked && after == before) {
    batch.add(compare_counters_if_free,
              values_of(user_id, before.last_allocation_id, before.last_usage_id,
                        before.last_entry_sequence, before.last_entry_hash));
    return;
  }
  batch.add(to_be_locked ? advance_counters_if_free : advance_counters,
            values_of(user_id, after.last_allocation_id, after.last_usage_id,
                      after.last_entry_sequence, after.allocated_credits - before.allocated_credits,
                      after.used_credits - before.used_credits, after.last_entry_hash,
                      before.last_allocation_id, before.last_usage_id, before.last_entry_sequence,
                      before.last_entry_hash));
}

/// True for what a database answers where the accounts have moved on since, or a key is used.
bool says_that_something_changed(SqlErrorKind kind) {
  return kind == SqlErrorKind::row_count || kind == SqlErrorKind::constraint ||
         kind == SqlErrorKind::unique_violation;
}

void save_allocation(Batch& batch, const domain::AllocationChange& change) {
  const domain::Effect& effect = change.change;
  batch.add(change_allocation, values_of(change.user_id, change.id, effect.remaining, effect.held,
                                         effect.consumed, effect.revoked, effect.moved));
  if (change.revoked_at) {
    batch.add(mark_allocation_revoked, values_of(change.user_id, change.id, *change.revoked_at,
                                                 optional_value(change.revoked_by)));
  }
}

Value tokens_value(const std::optional<Tokens>& tokens) {
  return tokens ? Value(domain::encode_tokens(*tokens)) : Value();
}

void save_session(Batch& batch, const domain::SessionChange& change, const Remembered* remembered) {
  const domain::SessionRecord& record = change.record;
  const StreamingSession& session = record.session;
  const bool is_new = !change.before;
  std::vector<Value> values = values_of(session.user_id, session.session_id);
  if (is_new) {
    append_values(values, session.model_id, session.started_at,
                  domain::encode_tokens(record.first_tokens), domain::encode_prices(record.prices),
                  domain::encode_policy(record.policy));
  }
  append_values(values, session.estimated_credits, session.allocated_credits, session.used_credits,
                std::string(to_string(session.status)), optional_value(session.completed_at),
                session.last_activity_at, session.expires_at,
                tokens_value(session.estimated_tokens), tokens_value(session.reported_tokens),
                tokens_value(record.ending ? std::optional(record.ending->tokens) : std::nullopt),
                optional_value(record.usage_id), record.refund, record.overage, record.uncollected);
  if (remembered == nullptr) {
    batch.add(is_new ? insert_session : change_session, std::move(values));
  } else if (is_new && remembered->locks_rows) {
    batch.add(compare_rule, values_of(session.model_id, session.started_at,
                                      remembered->rules.at(session.model_id).id));
    batch.add(insert_session, std::move(values));
  } else if (is_new) {
    values.emplace_back(remembered->rules.at(session.model_id).id);
    batch.add(insert_session_at_rule, std::move(values));
  } else {
    append_values(values, tokens_value(change.before->estimated_tokens),
                  tokens_value(change.before->reported_tokens), change.before->last_activity_at);
    batch.add(change_session_if_unchanged, std::move(values));
  }
}

void save_new_rows(Batch& batch, const domain::Changes& changes) {
  for (const auto& [user_id, session_id, position, slice] : changes.slices) {
    batch.add(insert_slice,
              values_of(user_id, session_id, position, slice.allocation_id, slice.credits));
  }
  for (const UsageRecord& record : changes.usage_records) {
    batch.add(insert_usage, values_of(record.user_id, record.id, record.timestamp, record.service,
                                      record.operation, record.credits, record.collected_credits,
                                      optional_value(record.metadata)));
  }
  for (const CreditEntry& entry : changes.entries) {
    batch.add(insert_entry,
              values_of(entry.user_id, entry.sequence, entry.allocation_id,
                        std::string(to_string(entry.kind)), entry.credits, entry.held_credits,
                        optional_value(entry.session_id), optional_value(entry.usage_id),
                        entry.actor, entry.created_at, entry.hash));
  }
  for (const domain::RollupChange& rollup : changes.rollups) {
    batch.add(add_to_rollup, values_of(rollup.user_id, rollup.day, rollup.service, rollup.model,
                                       rollup.records, rollup.credits));
  }
  for (const auto& [user_id, record] : changes.keys) {
    batch.add(insert_key, values_of(user_id, record.key, record.operation, record.fingerprint,
                                    record.answer, record.created_at));
  }
}

void save(Batch& batch, const domain::Changes& changes, const Remembered* remembered = nullptr) {
  for (const domain::CountersChange& change : changes.counters) {
    save_counters(batch, change, remembered);
  }
  for (const CreditAllocation& allocation : changes.new_allocations) {
    batch.add(insert_allocation,
              values_of(allocation.user_id, allocation.id, allocation.total_credits,
                        allocation.allocated_by, allocation.allocated_at, allocation.effective_at,
                        optional_value(allocation.expires_at), allocation.notes));
  }
  for (const domain::AllocationChange& change : changes.allocations) {
    save_allocation(batch, change);
  }
  for (const domain::SessionChange& change : changes.sessions) {
    save_session(batch, change, remembered);
  }
  save_new_rows(batch, changes);
}

}  // namespace

void SqlSession::store(const domain::Changes& changes) {
  Batch batch;
  save(batch, changes);
  if (!batch.empty()) {
    run(batch);
  }
}

void SqlSession::store_and_commit(const domain::Changes& changes) {
  Batch batch;
  save(batch, changes);
  run(batch, After::commit);
}

bool SqlSession::commit_if_unchanged(const domain::Changes& changes, const Rules& rules) {
  Batch batch;
  const Remembered remembered{.rules = rules,
                              .locks_rows = lease_->kind() == DatabaseKind::postgresql};
  save(batch, changes, &remembered);
  try {
    run_untold(batch, After::commit);
    return true;
  } catch (const SqlError& error) {
    if (says_that_something_changed(error.kind())) {
      return false;
    }
    throw_store_error(error);
  }
}

}  // namespace accounting::sql
