// Instants and durations as Python's datetime and timedelta. Computed here and not by
// pybind11/chrono.h, which goes through the host's local time and so moves aware datetimes.
#pragma once

#include <pybind11/pybind11.h>
#include <accounting/types.hpp>

#include <chrono>
#include <string>

namespace accounting::python {

namespace py = pybind11;

/// Called once, on import, before the rest.
void import_datetime();

/// From an aware datetime of any time zone, exact to the microsecond; else InvalidArgument.
Timestamp to_instant(py::handle value, const std::string& name);
/// An aware datetime in UTC.
py::object from_instant(Timestamp instant);

/// From a timedelta of at most 106,000,000 days, either way; else InvalidArgument.
std::chrono::microseconds to_duration(py::handle value, const std::string& name);
py::object from_duration(std::chrono::microseconds duration);

}  // namespace accounting::python
