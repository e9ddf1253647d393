// Errors of the library as exceptions of the Python package.
#pragma once

#include <pybind11/pybind11.h>
#include <accounting/error.hpp>

namespace accounting::python {

namespace py = pybind11;

/// An instance of the Python class with the same code.
py::object error_value(const AccountingError& error);

/// Has pybind11 raise them.
void translate_errors();

}  // namespace accounting::python
