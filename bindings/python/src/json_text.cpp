// Python values as JSON text. Written here rather than by Python's json, which would turn keys
// that are no str into some, take NaN, and not say where the fault is.
#include "arguments.hpp"

#include <cmath>
#include <cstdio>
#include <string>

namespace accounting::python {
namespace {

// The library's own limit; also keeps a value that contains itself from going on for ever.
constexpr int deepest = 64;

void write(py::handle value, const std::string& where, int depth, std::string& json);

void write_text(py::handle value, const std::string& where, std::string& json) {
  json += '"';
  for (const char character : to_text(value, where)) {
    const auto code = static_cast<unsigned char>(character);
    if (character == '"' || character == '\\') {
      json += '\\';
      json += character;
    } else if (code < 0x20) {
      char escaped[7];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", code);
      json += escaped;
    } else {
      json += character;
    }
  }
  json += '"';
}

void write_float(py::handle value, const std::string& where, std::string& json) {
  const double number = PyFloat_AS_DOUBLE(value.ptr());
  if (!std::isfinite(number)) {
    throw InvalidArgument(where, "a value that JSON has, not NaN or an infinity");
  }
  char* digits = PyOS_double_to_string(number, 'r', 0, Py_DTSF_ADD_DOT_0, nullptr);
  if (digits == nullptr) {
    throw py::error_already_set();
  }
  json += digits;
  PyMem_Free(digits);
}

void write_integer(py::handle value, const std::string& where, std::string& json) {
  json += std::to_string(to_integer(value, where));
}

void write_members(py::handle value, const std::string& where, int depth, std::string& json) {
  json += '{';
  const char* separator = "";
  for (const auto& [key, member] : py::reinterpret_borrow<py::dict>(value)) {
    if (PyUnicode_Check(key.ptr()) == 0) {
      refuse(where, "str keys only", key);
    }
    json += separator;
    write_text(key, where, json);
    json += ':';
    write(member, where + "[" + std::string(py::repr(key)) + "]", depth + 1, json);
    separator = ",";
  }
  json += '}';
}

void write_items(py::handle value, const std::string& where, int depth, std::string& json) {
  json += '[';
  std::size_t index = 0;
  for (const py::handle item : py::reinterpret_borrow<py::sequence>(value)) {
    json += index == 0 ? "" : ",";
    write(item, where + "[" + std::to_string(index++) + "]", depth + 1, json);
  }
  json += ']';
}

void write(py::handle value, const std::string& where, int depth, std::string& json) {
  if (depth > deepest) {
    throw InvalidArgument(where, "at most 64 levels");
  }
  PyObject* object = value.ptr();
  if (value.is_none()) {
    json += "null";
  } else if (PyBool_Check(object) != 0) {
    json += object == Py_True ? "true" : "false";
  } else if (PyUnicode_Check(object) != 0) {
    write_text(value, where, json);
  } else if (PyLong_Check(object) != 0) {
    write_integer(value, where, json);
  } else if (PyFloat_Check(object) != 0) {
    write_float(value, where, json);
  } else if (PyDict_Check(object) != 0) {
    write_members(value, where, depth, json);
  } else if (PyList_Check(object) != 0 || PyTuple_Check(object) != 0) {
    write_items(value, where, depth, json);
  } else {
    refuse(where, "a JSON value (None, bool, int, float, str, list or dict)", value);
  }
}

}  // namespace

std::string to_json(py::handle value, const std::string& name) {
  try {
    std::string json;
    write(value, name, 1, json);
    return json;
  } catch (const InvalidArgument& error) {
    const bool nested = error.argument() != name;
    throw InvalidArgument(name,
                          error.expected() + (nested ? " (at " + error.argument() + ")" : ""));
  }
}

}  // namespace accounting::python
