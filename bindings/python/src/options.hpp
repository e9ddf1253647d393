// Options and Policy from Python.
#pragma once

#include <pybind11/pybind11.h>
#include <accounting/options.hpp>

namespace accounting::python {

namespace py = pybind11;

/// From an accounting.Policy.
Policy to_policy(py::handle policy);

/// From a callable (level, message); null from None.
LogSink to_log_sink(py::handle callable);

}  // namespace accounting::python
