#include "answers.hpp"

#include "errors.hpp"
#include "python_side.hpp"

#include <exception>
#include <initializer_list>
#include <string>

namespace accounting::python {
namespace {

/// A field's value: as the casters have it, but lists and maps frozen.
template <class Value>
py::object field(const Value& value) {
  return py::cast(value);
}
template <class Item>
py::object field(const std::vector<Item>& items) {
  return python_side().frozen_list(py::cast(items));
}
py::object field(const CreditsByName& credits) {
  return python_side().frozen_dict(py::cast(credits));
}

/// An instance of a value type from its fields in the order of the class.
py::object build(const ValueClass& value_class, std::initializer_list<py::object> values) {
  if (values.size() != value_class.fields.size()) {
    throw py::type_error("accounting.values and accounting._core are of different versions");
  }
  auto* type = reinterpret_cast<PyTypeObject*>(value_class.python_class.ptr());
  auto instance = py::reinterpret_steal<py::object>(type->tp_alloc(type, 0));
  if (!instance) {
    throw py::error_already_set();
  }
  auto name = value_class.fields.begin();
  for (const py::object& value : values) {
    // The generic one, not the class's own, which refuses every change.
    if (PyObject_GenericSetAttr(instance.ptr(), (name++)->ptr(), value.ptr()) != 0) {
      throw py::error_already_set();
    }
  }
  return instance;
}

template <class Enum>
py::object enum_member(const py::object& python_enum, Enum value) {
  const std::string_view word = to_string(value);
  return python_enum(py::str(word.data(), word.size()));
}

py::object json_or_none(const std::optional<std::string>& json) {
  return json ? python_side().json_value(*json) : py::none();
}

template <class Item>
py::object page_answer(const Page<Item>& page) {
  return build(python_side().page,
               {field(page.items), field(page.total), field(page.page), field(page.total_pages)});
}

}  // namespace

py::object answer(Role role) { return enum_member(python_side().role, role); }
py::object answer(SessionStatus status) {
  return enum_member(python_side().session_status, status);
}
py::object answer(EntryKind kind) { return enum_member(python_side().entry_kind, kind); }

py::object answer(const Price& price) { return python_side().decimal(price.to_string()); }

py::object answer(const Tokens& tokens) {
  if (!tokens.by_kind()) {
    return py::int_(tokens.number());
  }
  const TokenCounts counts = tokens.counts();
  return python_side().token_counts(counts.input, counts.output, counts.cached_input);
}

py::object answer(const UserAccount& account) {
  return build(python_side().user_account,
               {field(account.user_id), field(account.email), field(account.username),
                field(account.role), field(account.created_at), field(account.updated_at)});
}

py::object answer(const SyncResult& result) {
  return build(python_side().sync_result, {field(result.account), field(result.created)});
}

py::object answer(const CreditAllocation& allocation) {
  return build(
      python_side().credit_allocation,
      {field(allocation.id), field(allocation.user_id), field(allocation.total_credits),
       field(allocation.remaining_credits), field(allocation.held_credits),
       field(allocation.consumed_credits), field(allocation.revoked_credits),
       field(allocation.moved_credits), field(allocation.allocated_by),
       field(allocation.allocated_at), field(allocation.effective_at), field(allocation.expires_at),
       field(allocation.notes), field(allocation.revoked_at), field(allocation.revoked_by)});
}

py::object answer(const Slice& slice) {
  return build(python_side().slice, {field(slice.allocation_id), field(slice.credits)});
}

py::object answer(const Balance& balance) {
  return build(python_side().balance, {field(balance.total_credits), field(balance.held_credits),
                                       field(balance.active_allocations)});
}

py::object answer(const Deduction& deduction) {
  return build(python_side().deduction, {field(deduction.credits), field(deduction.slices)});
}

py::object answer(const Charge& charge) {
  return build(python_side().charge, {field(charge.usage_record), field(charge.deduction)});
}

py::object answer(const CreditEntry& entry) {
  return build(
      python_side().credit_entry,
      {field(entry.sequence), field(entry.user_id), field(entry.allocation_id), field(entry.kind),
       field(entry.credits), field(entry.held_credits), field(entry.session_id),
       field(entry.usage_id), field(entry.actor), field(entry.created_at), field(entry.hash)});
}

py::object answer(const UsageRecord& record) {
  return build(python_side().usage_record,
               {field(record.id), field(record.user_id), field(record.timestamp),
                field(record.service), field(record.operation), field(record.credits),
                field(record.collected_credits), json_or_none(record.metadata)});
}

py::object answer(const UserStats& stats) {
  return build(python_side().user_stats,
               {field(stats.total_records), field(stats.total_credits), field(stats.by_service),
                field(stats.by_day), field(stats.by_model), field(stats.recent_activity)});
}

py::object answer(const SystemStats& stats) {
  return build(python_side().system_stats,
               {field(stats.total_records), field(stats.total_credits), field(stats.by_user),
                field(stats.by_service), field(stats.by_day), field(stats.by_model)});
}

py::object answer(const StreamingSession& session) {
  return build(
      python_side().streaming_session,
      {field(session.session_id), field(session.user_id), field(session.model_id),
       field(session.status), field(session.estimated_tokens), field(session.reported_tokens),
       field(session.estimated_credits), field(session.allocated_credits),
       field(session.used_credits), field(session.started_at), field(session.last_activity_at),
       field(session.expires_at), field(session.completed_at)});
}

py::object answer(const Settlement& settlement) {
  return build(python_side().settlement,
               {field(settlement.user_id), field(settlement.session_id), field(settlement.status),
                field(settlement.estimated_credits), field(settlement.allocated_credits),
                field(settlement.actual_credits), field(settlement.refund),
                field(settlement.overage), field(settlement.uncollected)});
}

py::object answer(const PricingRule& rule) {
  return build(python_side().pricing_rule,
               {field(rule.id), field(rule.model_id), field(rule.price_per_1k_tokens),
                field(rule.input), field(rule.output), field(rule.cached_input),
                field(rule.effective_from), field(rule.effective_to), field(rule.created_by)});
}

py::object answer(const Problem& problem) {
  return build(python_side().problem,
               {field(problem.invariant), field(problem.user_id), field(problem.detail)});
}

py::object answer(const VerifyReport& report) {
  return build(
      python_side().verify_report,
      {field(report.ok), field(report.problems), field(report.accounts), field(report.allocations),
       field(report.sessions), field(report.usage_records), field(report.entries)});
}

py::object answer(const CheckpointReport& report) {
  return build(python_side().checkpoint_report,
               {field(report.ok), field(report.problems), field(report.created_at),
                field(report.accounts), field(report.entries)});
}

py::object answer(const PoolStatus& pool) {
  return build(python_side().pool_status, {field(pool.size), field(pool.open), field(pool.in_use)});
}

py::object answer(const Health& health) {
  return build(
      python_side().health,
      {field(health.ok), field(health.service), field(health.version), field(health.time),
       field(health.database), field(health.reachable), field(health.schema_version),
       field(health.pending_migrations), field(health.pool),
       health.clock_skew ? from_duration(*health.clock_skew) : py::none(), field(health.problem)});
}

py::object answer(const Principal& principal) {
  return build(python_side().principal, {field(principal.user_id), field(principal.username),
                                         field(principal.email), field(principal.role)});
}

py::object answer(const ApiKey& key) {
  return build(
      python_side().api_key,
      {field(key.id), field(key.user_id), field(key.name), field(key.prefix), field(key.last_four),
       field(key.permissions), field(key.is_active), field(key.created_at), field(key.expires_at),
       field(key.last_used), field(key.revoked_at)});
}

py::object answer(const IssuedApiKey& issued) {
  return build(python_side().issued_api_key, {field(issued.key), field(issued.api_key)});
}

py::object answer(const KeyIdentity& identity) {
  return build(python_side().key_identity,
               {field(identity.user_id), field(identity.permissions), field(identity.key_id)});
}

py::object answer(const AuditEntry& entry) {
  return build(
      python_side().audit_entry,
      {field(entry.user_id), field(entry.id), field(entry.actor), field(entry.operation),
       field(entry.subject), python_side().json_value(entry.details), field(entry.created_at)});
}

py::object answer(const TokenInspection& inspection) {
  const py::object problem = inspection.problem
                                 ? py::object(py::str(std::string(to_string(*inspection.problem))))
                                 : py::none();
  return build(python_side().token_inspection,
               {field(inspection.accepted), problem, field(inspection.explanation),
                field(inspection.header), field(inspection.claims), field(inspection.principal)});
}

py::object answer(const Page<AuditEntry>& page) { return page_answer(page); }
py::object answer(const Page<UserAccount>& page) { return page_answer(page); }
py::object answer(const Page<CreditAllocation>& page) { return page_answer(page); }

py::object answer(const Outcome<Charge>& outcome) {
  if (outcome.ok()) {
    return answer(outcome.value());
  }
  try {
    std::rethrow_exception(outcome.error());
  } catch (const AccountingError& error) {
    return error_value(error);
  }
}

}  // namespace accounting::python
