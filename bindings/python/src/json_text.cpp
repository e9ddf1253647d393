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

/// Where in a value something stands. Told in words only for an error, because the words may need
/// Python code of the caller's.
struct Place {
  const std::string& name;  ///< the argument's
  const Place* outer = nullptr;
  py::handle key = {};  ///< of a member; null for an item
  std::size_t index = 0;
  int depth = outer == nullptr ? 1 : outer->depth + 1;

  [[nodiscard]] std::string text() const {
    return outer == nullptr ? name
                            : outer->text() + "[" + (key ? word() : std::to_string(index)) + "]";
  }

 private:
  [[nodiscard]] std::string word() const {
    try {
      return py::repr(key);
    } catch (const py::error_already_set&) {
      return "?";  // a key of the caller's own class, whose words are no answer to be told
    }
  }
};

void write(py::handle value, const Place& place, std::string& json);

/// Converts one value; an error says where it stands.
template <class Convert>
auto at(const Place& place, py::handle value, Convert convert) {
  try {
    return convert(value, place.name);
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(place.text(), error.expected());
  }
}

void write_text(py::handle value, const Place& place, std::string& json) {
  json += '"';
  for (const char character : at(place, value, to_text)) {
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

void write_float(py::handle value, const Place& place, std::string& json) {
  const double number = PyFloat_AS_DOUBLE(value.ptr());
  if (!std::isfinite(number)) {
    throw InvalidArgument(place.text(), "a value that JSON has, not NaN or an infinity");
  }
  char* digits = PyOS_double_to_string(number, 'r', 0, Py_DTSF_ADD_DOT_0, nullptr);
  if (digits == nullptr) {
    throw py::error_already_set();
  }
  json += digits;
  PyMem_Free(digits);
}

/// Takes what a call of Python's made; throws what it raised.
py::object made(PyObject* object) {
  if (object == nullptr) {
    throw py::error_already_set();
  }
  return py::reinterpret_steal<py::object>(object);
}

void write_members(py::handle value, const Place& place, std::string& json) {
  // A copy, because other threads may change the caller's dict meanwhile.
  const auto members = py::reinterpret_steal<py::dict>(made(PyDict_Copy(value.ptr())).release());
  json += '{';
  const char* separator = "";
  for (const auto& [key, member] : members) {
    if (PyUnicode_Check(key.ptr()) == 0) {
      at(place, key,
         [](py::handle wrong, const std::string& name) { refuse(name, "str keys only", wrong); });
    }
    json += separator;
    write_text(key, place, json);
    json += ':';
    write(member, {.name = place.name, .outer = &place, .key = key}, json);
    separator = ",";
  }
  json += '}';
}

void write_items(py::handle value, const Place& place, std::string& json) {
  // A copy, as above.
  const auto items =
      py::reinterpret_steal<py::tuple>(made(PySequence_Tuple(value.ptr())).release());
  json += '[';
  for (std::size_t index = 0; index < items.size(); ++index) {
    json += index == 0 ? "" : ",";
    write(items[index], {.name = place.name, .outer = &place, .index = index}, json);
  }
  json += ']';
}

void write(py::handle value, const Place& place, std::string& json) {
  PyObject* object = value.ptr();
  if (place.depth > deepest) {
    throw InvalidArgument(place.text(), "at most 64 levels");
  }
  if (value.is_none()) {
    json += "null";
  } else if (PyBool_Check(object) != 0) {
    json += object == Py_True ? "true" : "false";
  } else if (PyUnicode_Check(object) != 0) {
    write_text(value, place, json);
  } else if (PyLong_Check(object) != 0) {
    json += std::to_string(at(place, value, to_integer));
  } else if (PyFloat_Check(object) != 0) {
    write_float(value, place, json);
  } else if (PyDict_Check(object) != 0) {
    write_members(value, place, json);
  } else if (PyList_Check(object) != 0 || PyTuple_Check(object) != 0) {
    write_items(value, place, json);
  } else {
    at(place, value, [](py::handle wrong, const std::string& name) {
      refuse(name, "a JSON value (None, bool, int, float, str, list or dict)", wrong);
    });
  }
}

}  // namespace

std::string to_json(py::handle value, const std::string& name) {
  try {
    std::string json;
    write(value, {.name = name}, json);
    return json;
  } catch (const InvalidArgument& error) {
    const bool nested = error.argument() != name;
    throw InvalidArgument(name,
                          error.expected() + (nested ? " (at " + error.argument() + ")" : ""));
  }
}

}  // namespace accounting::python
