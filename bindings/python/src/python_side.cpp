#include "python_side.hpp"

namespace accounting::python {
namespace {

PythonSide*& instance() {
  static PythonSide* side = nullptr;
  return side;
}

std::map<std::string, py::object> by_code(const py::dict& classes) {
  std::map<std::string, py::object> found;
  for (const auto& [code, error_class] : classes) {
    found.emplace(py::cast<std::string>(code), py::reinterpret_borrow<py::object>(error_class));
  }
  return found;
}

}  // namespace

ValueClass::ValueClass(py::handle dataclass)
    : python_class(py::reinterpret_borrow<py::object>(dataclass)) {
  for (const py::handle name : dataclass.attr("__match_args__")) {
    PyObject* interned = name.inc_ref().ptr();
    PyUnicode_InternInPlace(&interned);
    fields.push_back(py::reinterpret_steal<py::object>(interned));
  }
}

const PythonSide& python_side() { return *instance(); }

void import_python_side() {
  const auto values = py::module_::import("accounting.values");
  const auto frozen = py::module_::import("accounting.frozen");
  const auto errors = py::module_::import("accounting.errors");
  const auto value_class = [&](const char* name) { return ValueClass(values.attr(name)); };

  instance() = new PythonSide{
      .user_account = value_class("UserAccount"),
      .sync_result = value_class("SyncResult"),
      .page = value_class("Page"),
      .credit_allocation = value_class("CreditAllocation"),
      .slice = value_class("Slice"),
      .balance = value_class("Balance"),
      .deduction = value_class("Deduction"),
      .charge = value_class("Charge"),
      .credit_entry = value_class("CreditEntry"),
      .usage_record = value_class("UsageRecord"),
      .user_stats = value_class("UserStats"),
      .system_stats = value_class("SystemStats"),
      .streaming_session = value_class("StreamingSession"),
      .settlement = value_class("Settlement"),
      .pricing_rule = value_class("PricingRule"),
      .principal = value_class("Principal"),
      .api_key = value_class("ApiKey"),
      .issued_api_key = value_class("IssuedApiKey"),
      .key_identity = value_class("KeyIdentity"),
      .audit_entry = value_class("AuditEntry"),
      .token_inspection = value_class("TokenInspection"),
      .problem = value_class("Problem"),
      .verify_report = value_class("VerifyReport"),
      .checkpoint_report = value_class("CheckpointReport"),
      .pool_status = value_class("PoolStatus"),
      .health = value_class("Health"),
      .token_counts = values.attr("TokenCounts"),
      .role = values.attr("Role"),
      .session_status = values.attr("SessionStatus"),
      .entry_kind = values.attr("EntryKind"),
      .frozen_list = frozen.attr("FrozenList"),
      .frozen_dict = frozen.attr("FrozenDict"),
      .json_value = frozen.attr("json_value"),
      .error_classes = by_code(errors.attr("BY_CODE")),
      .decimal = py::module_::import("decimal").attr("Decimal"),
  };
}

}  // namespace accounting::python
