// The services as Python holds them. Their methods take plain objects, by position; the classes of
// accounting.services give them names, defaults and documentation.
#pragma once

#include "gil.hpp"

#include <pybind11/pybind11.h>
#include <accounting/accounting.hpp>

namespace accounting::python {

void bind_accounts(py::module_& module);
void bind_credits(py::module_& module);
void bind_pricing(py::module_& module);
void bind_sessions(py::module_& module);
void bind_usage(py::module_& module);
void bind_identity(py::module_& module);

void bind_clock(py::module_& module);
void bind_policy(py::module_& module);
void bind_books(py::module_& module);

/// From the values of the same name in accounting.values.
Principal to_principal(py::handle principal);
KeyIdentity to_key_identity(py::handle identity);

}  // namespace accounting::python
