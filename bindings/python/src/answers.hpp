// Answers: what the services answer, as values of the Python package. pybind11 finds the
// conversions through the casters at the end, which also give the stubs their types.
#pragma once

#include "instants.hpp"

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <accounting/accounting.hpp>

namespace accounting::python {

namespace py = pybind11;

py::object answer(Role role);
py::object answer(SessionStatus status);
py::object answer(EntryKind kind);
py::object answer(const Price& price);
py::object answer(const Tokens& tokens);
py::object answer(const UserAccount& account);
py::object answer(const SyncResult& result);
py::object answer(const CreditAllocation& allocation);
py::object answer(const Slice& slice);
py::object answer(const Balance& balance);
py::object answer(const Deduction& deduction);
py::object answer(const Charge& charge);
py::object answer(const CreditEntry& entry);
py::object answer(const UsageRecord& record);
py::object answer(const UserStats& stats);
py::object answer(const SystemStats& stats);
py::object answer(const StreamingSession& session);
py::object answer(const Settlement& settlement);
py::object answer(const PricingRule& rule);
py::object answer(const VerifyReport& report);
py::object answer(const CheckpointReport& report);
py::object answer(const Problem& problem);
py::object answer(const PoolStatus& pool);
py::object answer(const Health& health);
py::object answer(const Principal& principal);
py::object answer(const ApiKey& key);
py::object answer(const IssuedApiKey& issued);
py::object answer(const KeyIdentity& identity);
py::object answer(const AuditEntry& entry);
py::object answer(const TokenInspection& inspection);
py::object answer(const Page<UserAccount>& page);
py::object answer(const Page<AuditEntry>& page);
py::object answer(const Page<CreditAllocation>& page);
py::object answer(const Outcome<Charge>& outcome);
inline py::object answer(Timestamp instant) { return from_instant(instant); }

/// One way only: what Python gives goes through arguments.hpp, which can name the argument.
template <class Value>
struct AnswerCaster {
  static py::handle cast(const Value& value, py::return_value_policy, py::handle) {
    return answer(value).release();
  }
};

}  // namespace accounting::python

#define ACCOUNTING_ANSWER(TYPE, PYTHON_NAME)                                            \
  template <>                                                                           \
  struct pybind11::detail::type_caster<TYPE> : accounting::python::AnswerCaster<TYPE> { \
    static constexpr auto name = const_name(PYTHON_NAME);                               \
  }

ACCOUNTING_ANSWER(accounting::Timestamp, "datetime.datetime");
ACCOUNTING_ANSWER(accounting::Role, "accounting.values.Role");
ACCOUNTING_ANSWER(accounting::SessionStatus, "accounting.values.SessionStatus");
ACCOUNTING_ANSWER(accounting::EntryKind, "accounting.values.EntryKind");
ACCOUNTING_ANSWER(accounting::Price, "decimal.Decimal");
ACCOUNTING_ANSWER(accounting::Tokens, "int | accounting.values.TokenCounts");
ACCOUNTING_ANSWER(accounting::UserAccount, "accounting.values.UserAccount");
ACCOUNTING_ANSWER(accounting::SyncResult, "accounting.values.SyncResult");
ACCOUNTING_ANSWER(accounting::CreditAllocation, "accounting.values.CreditAllocation");
ACCOUNTING_ANSWER(accounting::Slice, "accounting.values.Slice");
ACCOUNTING_ANSWER(accounting::Balance, "accounting.values.Balance");
ACCOUNTING_ANSWER(accounting::Deduction, "accounting.values.Deduction");
ACCOUNTING_ANSWER(accounting::Charge, "accounting.values.Charge");
ACCOUNTING_ANSWER(accounting::CreditEntry, "accounting.values.CreditEntry");
ACCOUNTING_ANSWER(accounting::UsageRecord, "accounting.values.UsageRecord");
ACCOUNTING_ANSWER(accounting::UserStats, "accounting.values.UserStats");
ACCOUNTING_ANSWER(accounting::SystemStats, "accounting.values.SystemStats");
ACCOUNTING_ANSWER(accounting::StreamingSession, "accounting.values.StreamingSession");
ACCOUNTING_ANSWER(accounting::Settlement, "accounting.values.Settlement");
ACCOUNTING_ANSWER(accounting::PricingRule, "accounting.values.PricingRule");
ACCOUNTING_ANSWER(accounting::Problem, "accounting.values.Problem");
ACCOUNTING_ANSWER(accounting::Principal, "accounting.values.Principal");
ACCOUNTING_ANSWER(accounting::ApiKey, "accounting.values.ApiKey");
ACCOUNTING_ANSWER(accounting::IssuedApiKey, "accounting.values.IssuedApiKey");
ACCOUNTING_ANSWER(accounting::KeyIdentity, "accounting.values.KeyIdentity");
ACCOUNTING_ANSWER(accounting::AuditEntry, "accounting.values.AuditEntry");
ACCOUNTING_ANSWER(accounting::TokenInspection, "accounting.values.TokenInspection");
ACCOUNTING_ANSWER(accounting::VerifyReport, "accounting.values.VerifyReport");
ACCOUNTING_ANSWER(accounting::CheckpointReport, "accounting.values.CheckpointReport");
ACCOUNTING_ANSWER(accounting::PoolStatus, "accounting.values.PoolStatus");
ACCOUNTING_ANSWER(accounting::Health, "accounting.values.Health");
ACCOUNTING_ANSWER(accounting::Page<accounting::UserAccount>,
                  "accounting.values.Page[accounting.values.UserAccount]");
ACCOUNTING_ANSWER(accounting::Page<accounting::CreditAllocation>,
                  "accounting.values.Page[accounting.values.CreditAllocation]");
ACCOUNTING_ANSWER(accounting::Page<accounting::AuditEntry>,
                  "accounting.values.Page[accounting.values.AuditEntry]");
ACCOUNTING_ANSWER(accounting::Outcome<accounting::Charge>,
                  "accounting.values.Charge | accounting.errors.AccountingError");

#undef ACCOUNTING_ANSWER
