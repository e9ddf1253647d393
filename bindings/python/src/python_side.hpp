// The half of the package that is written in Python, as the C++ half uses it: its value types, its
// errors and a few functions. Looked up once, on import.
#pragma once

#include <pybind11/pybind11.h>

#include <map>
#include <string>
#include <vector>

namespace accounting::python {

namespace py = pybind11;

/// A value type, a frozen dataclass: instances are filled field by field, which is faster than
/// its constructor and the only way around its being frozen.
struct ValueClass {
  ValueClass() = default;
  explicit ValueClass(py::handle dataclass);

  py::object python_class;
  std::vector<py::object> fields;  ///< names, in the order of the class
};

struct PythonSide {
  // accounting.values
  ValueClass user_account, sync_result, page;
  ValueClass credit_allocation, slice, balance, deduction, charge, credit_entry;
  ValueClass usage_record, user_stats, system_stats;
  ValueClass streaming_session, settlement;
  ValueClass pricing_rule;
  ValueClass principal, api_key, issued_api_key, key_identity, audit_entry, token_inspection;
  ValueClass problem, verify_report, checkpoint_report, pool_status, health;
  py::object token_counts;
  py::object role, session_status, entry_kind;  ///< enums; called with a word

  // accounting.frozen
  py::object frozen_list, frozen_dict, json_value;

  // accounting.errors
  std::map<std::string, py::object> error_classes;  ///< by code

  // decimal
  py::object decimal;
};

/// Imports all of it; called once, on import of the module.
void import_python_side();
/// Never destroyed, so that it outlives every object that the interpreter destroys late.
const PythonSide& python_side();

}  // namespace accounting::python
