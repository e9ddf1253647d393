#include "instants.hpp"

#include "arguments.hpp"

#include <datetime.h>

#include <cstdlib>

namespace accounting::python {
namespace {

std::chrono::microseconds microseconds_of(py::handle timedelta) {
  return std::chrono::days(PyDateTime_DELTA_GET_DAYS(timedelta.ptr())) +
         std::chrono::seconds(PyDateTime_DELTA_GET_SECONDS(timedelta.ptr())) +
         std::chrono::microseconds(PyDateTime_DELTA_GET_MICROSECONDS(timedelta.ptr()));
}

/// A timedelta or None. Time zones are the caller's own classes and may do anything.
py::object offset_of(py::handle datetime, const std::string& name) {
  py::object offset;
  try {
    offset = datetime.attr("utcoffset")();
  } catch (const py::error_already_set& error) {
    if (!error.matches(PyExc_Exception)) {
      throw;
    }
  }
  if (!offset || (!offset.is_none() && PyDelta_Check(offset.ptr()) == 0)) {
    throw InvalidArgument(name, "an aware datetime that can tell its offset from UTC");
  }
  return offset;
}

}  // namespace

void import_datetime() {
  PyDateTime_IMPORT;
  if (PyDateTimeAPI == nullptr) {
    throw py::error_already_set();
  }
}

Timestamp to_instant(py::handle value, const std::string& name) {
  if (PyDateTime_Check(value.ptr()) == 0) {
    refuse(name, "an aware datetime", value);
  }
  PyObject* instant = value.ptr();
  std::chrono::microseconds offset{0};
  if (PyDateTime_DATE_GET_TZINFO(instant) != PyDateTime_TimeZone_UTC) {
    const py::object utc_offset = offset_of(value, name);
    if (utc_offset.is_none()) {
      throw InvalidArgument(name,
                            "an aware datetime: this one is naive, give it a tzinfo, such as "
                            "datetime.timezone.utc");
    }
    offset = microseconds_of(utc_offset);
  }
  const std::chrono::year_month_day day(
      std::chrono::year(PyDateTime_GET_YEAR(instant)),
      std::chrono::month(static_cast<unsigned>(PyDateTime_GET_MONTH(instant))),
      std::chrono::day(static_cast<unsigned>(PyDateTime_GET_DAY(instant))));
  return std::chrono::sys_days(day) + std::chrono::hours(PyDateTime_DATE_GET_HOUR(instant)) +
         std::chrono::minutes(PyDateTime_DATE_GET_MINUTE(instant)) +
         std::chrono::seconds(PyDateTime_DATE_GET_SECOND(instant)) +
         std::chrono::microseconds(PyDateTime_DATE_GET_MICROSECOND(instant)) - offset;
}

std::chrono::microseconds to_duration(py::handle value, const std::string& name) {
  if (PyDelta_Check(value.ptr()) == 0) {
    refuse(name, "a timedelta", value);
  }
  constexpr int most_days = 106'000'000;  // About what 64 bits of microseconds hold.
  if (std::abs(PyDateTime_DELTA_GET_DAYS(value.ptr())) > most_days) {
    throw InvalidArgument(name, "a timedelta of at most 106,000,000 days");
  }
  return microseconds_of(value);
}

py::object from_instant(Timestamp instant) {
  const auto midnight = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day day(midnight);
  const std::chrono::hh_mm_ss time(instant - midnight);
  PyObject* datetime = PyDateTimeAPI->DateTime_FromDateAndTime(
      static_cast<int>(day.year()), static_cast<int>(static_cast<unsigned>(day.month())),
      static_cast<int>(static_cast<unsigned>(day.day())), static_cast<int>(time.hours().count()),
      static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
      static_cast<int>(time.subseconds().count()), PyDateTime_TimeZone_UTC,
      PyDateTimeAPI->DateTimeType);
  if (datetime == nullptr) {
    throw py::error_already_set();
  }
  return py::reinterpret_steal<py::object>(datetime);
}

py::object from_duration(std::chrono::microseconds duration) {
  const auto days = std::chrono::floor<std::chrono::days>(duration);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(duration - days);
  const auto rest = duration - days - seconds;
  PyObject* timedelta =
      PyDelta_FromDSU(static_cast<int>(days.count()), static_cast<int>(seconds.count()),
                      static_cast<int>(rest.count()));
  if (timedelta == nullptr) {
    throw py::error_already_set();
  }
  return py::reinterpret_steal<py::object>(timedelta);
}

}  // namespace accounting::python
