#include "arguments.hpp"

#include "instants.hpp"
#include "python_side.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

namespace accounting::python {
namespace {

/// Without the module, which types written in C name too.
std::string type_name(py::handle value) {
  const std::string name = Py_TYPE(value.ptr())->tp_name;
  return name.substr(name.rfind('.') + 1);
}

/// "a float", "an int", "None": what was given instead.
std::string described(py::handle value) {
  if (value.is_none()) {
    return "None";
  }
  const std::string name = type_name(value);
  const bool vowel = std::strchr("aeiouAEIOU", name.front()) != nullptr;
  return (vowel ? "an " : "a ") + name;
}

/// The value of a Python integer, or none where it has more than 64 bits.
std::optional<std::int64_t> integer_of(PyObject* integer) {
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(integer, &overflow);
  if (overflow != 0) {
    return std::nullopt;
  }
  if (number == -1 && PyErr_Occurred() != nullptr) {
    throw py::error_already_set();
  }
  return number;
}

bool is_decimal(py::handle value) {
  return PyObject_IsInstance(value.ptr(), python_side().decimal.ptr()) == 1;
}

/// A Decimal in plain digits. Its exponent is looked at first: 1E+999999999 would be long.
std::string decimal_text(py::handle value, const std::string& name) {
  constexpr int farthest_digit = 400;
  // By Decimal's own methods: a class derived from it may answer something else than its number.
  const py::object& decimal = python_side().decimal;
  const bool finite = decimal.attr("is_finite")(value).cast<bool>();
  if (!finite || std::abs(decimal.attr("adjusted")(value).cast<double>()) > farthest_digit) {
    throw InvalidArgument(name,
                          "a finite Decimal from 0 to 10^15 with at most 10 fractional digits");
  }
  return py::str(decimal.attr("__format__")(value, "f"));
}

/// The name of a request's member, whatever it is.
std::string readable(py::handle key) {
  const py::str text(py::reinterpret_borrow<py::object>(key));
  const auto bytes = py::reinterpret_steal<py::bytes>(
      PyUnicode_AsEncodedString(text.ptr(), "utf-8", "backslashreplace"));
  if (!bytes) {
    throw py::error_already_set();
  }
  return bytes;
}

template <class Convert>
auto unless_none(py::handle value, const char* name, Convert convert) {
  using Value = std::invoke_result_t<Convert, py::handle, const std::string&>;
  if (!value || value.is_none()) {
    return std::optional<Value>();
  }
  return std::optional<Value>(convert(value, name));
}

}  // namespace

void refuse(const std::string& name, const std::string& expected, py::handle given) {
  throw InvalidArgument(name, expected + ", not " + described(given));
}

std::string to_text(py::handle value, const std::string& name) {
  if (PyUnicode_Check(value.ptr()) == 0) {
    refuse(name, "a str", value);
  }
  Py_ssize_t size = 0;
  const char* bytes = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
  if (bytes == nullptr) {
    PyErr_Clear();
    throw InvalidArgument(name, "text that UTF-8 can encode, without lone surrogates");
  }
  return {bytes, static_cast<std::size_t>(size)};
}

SecretText::~SecretText() {
  // Through a volatile pointer, which no optimiser leaves out.
  volatile char* byte = text.data();
  for (std::size_t count = text.size(); count > 0; --count) {
    *byte++ = 0;
  }
}

SecretText to_secret(py::handle value, const std::string& name) {
  if (PyBytes_Check(value.ptr()) != 0) {
    return SecretText(
        {PyBytes_AS_STRING(value.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(value.ptr()))});
  }
  if (PyUnicode_Check(value.ptr()) == 0) {
    refuse(name, "bytes or a str", value);
  }
  return SecretText(to_text(value, name));
}

SecretText to_presented(py::handle value, const std::string& name) {
  if (PyUnicode_Check(value.ptr()) == 0) {
    refuse(name, "a str", value);
  }
  try {
    return SecretText(to_text(value, name));
  } catch (const InvalidArgument&) {
    return SecretText("?");
  }
}

std::int64_t to_integer(py::handle value, const std::string& name) {
  const bool has_index = PyIndex_Check(value.ptr()) != 0 && PyBool_Check(value.ptr()) == 0;
  if (!has_index) {
    refuse(name, "an int", value);
  }
  const auto index = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
  if (!index) {
    throw py::error_already_set();
  }
  const std::optional<std::int64_t> number = integer_of(index.ptr());
  if (!number) {
    throw InvalidArgument(name, "an int that fits 64 bits");
  }
  return *number;
}

bool to_boolean(py::handle value, const std::string& name) {
  if (PyBool_Check(value.ptr()) == 0) {
    refuse(name, "True or False", value);
  }
  return value.ptr() == Py_True;
}

Price to_price(py::handle value, const std::string& name) {
  if (PyFloat_Check(value.ptr()) != 0) {
    const std::string shown = py::str(py::float_(PyFloat_AS_DOUBLE(value.ptr())));
    throw InvalidArgument(name,
                          "a str, a Decimal or an int: a float cannot hold every price exactly, "
                          "so write \"" +
                              shown + "\" or Decimal(\"" + shown + "\")");
  }
  try {
    if (PyUnicode_Check(value.ptr()) != 0) {
      return {to_text(value, name)};
    }
    if (is_decimal(value)) {
      return {decimal_text(value, name)};
    }
    if (PyLong_Check(value.ptr()) == 0 || PyBool_Check(value.ptr()) != 0) {
      refuse(name, "a str, a Decimal or an int", value);
    }
    return {to_integer(value, name)};
  } catch (const InvalidArgument& error) {
    // Price itself does not know for which argument it is.
    throw InvalidArgument(name, error.expected());
  }
}

Tokens to_tokens(py::handle value, const std::string& name) {
  if (PyObject_IsInstance(value.ptr(), python_side().token_counts.ptr()) != 1) {
    if (PyIndex_Check(value.ptr()) == 0 || PyBool_Check(value.ptr()) != 0) {
      refuse(name, "an int or a TokenCounts", value);
    }
    return {to_integer(value, name)};
  }
  return {
      TokenCounts{.input = to_integer(value.attr("input"), name + ".input"),
                  .output = to_integer(value.attr("output"), name + ".output"),
                  .cached_input = to_integer(value.attr("cached_input"), name + ".cached_input")}};
}

Role to_role(py::handle value, const std::string& name) {
  if (PyUnicode_Check(value.ptr()) == 0) {
    refuse(name, "a Role or its word", value);
  }
  const std::string word = to_text(value, name);
  for (const Role role : {Role::user, Role::supervisor, Role::admin}) {
    if (to_string(role) == word) {
      return role;
    }
  }
  throw InvalidArgument(name, "\"user\", \"supervisor\" or \"admin\"");
}

std::vector<std::string> to_names(py::handle value, const std::string& name) {
  if (PyUnicode_Check(value.ptr()) != 0 || !py::isinstance<py::iterable>(value)) {
    refuse(name, "an iterable of str", value);
  }
  std::vector<std::string> names;
  for (const py::handle item : value) {
    names.push_back(to_text(item, name + "[" + std::to_string(names.size()) + "]"));
  }
  return names;
}

Arguments::Arguments(py::handle request) : is_request_(true) {
  if (PyDict_Check(request.ptr()) != 0) {
    request_ = py::reinterpret_borrow<py::dict>(request);
  } else if (PyMapping_Check(request.ptr()) != 0 && py::hasattr(request, "keys")) {
    request_ = py::dict(py::reinterpret_borrow<py::object>(request));
  } else {
    refuse("request", "a dict", request);
  }
}

py::handle Arguments::find(const char* name) {
  if (!is_request_) {
    const auto found = std::find_if(given_.begin(), given_.end(), [&](const Given& argument) {
      return std::strcmp(argument.name, name) == 0;
    });
    return found == given_.end() ? py::handle() : found->value;
  }
  asked_.push_back(name);
  return PyDict_GetItemString(request_.ptr(), name);
}

py::handle Arguments::required(const char* name) {
  const py::handle value = find(name);
  if (!value) {
    throw InvalidArgument(name, "a value: it is missing");
  }
  return value;
}

std::string Arguments::text(const char* name) { return to_text(required(name), name); }
std::int64_t Arguments::integer(const char* name) { return to_integer(required(name), name); }
Price Arguments::price(const char* name) { return to_price(required(name), name); }
Tokens Arguments::tokens(const char* name) { return to_tokens(required(name), name); }

std::string Arguments::text_or(const char* name, const char* otherwise) {
  const py::handle value = find(name);
  return value ? to_text(value, name) : otherwise;
}
bool Arguments::boolean_or(const char* name, bool otherwise) {
  const py::handle value = find(name);
  return value ? to_boolean(value, name) : otherwise;
}

std::optional<std::string> Arguments::optional_text(const char* name) {
  return unless_none(find(name), name, to_text);
}
std::optional<std::int64_t> Arguments::optional_integer(const char* name) {
  return unless_none(find(name), name, to_integer);
}
std::optional<bool> Arguments::optional_boolean(const char* name) {
  return unless_none(find(name), name, to_boolean);
}
std::optional<Timestamp> Arguments::optional_instant(const char* name) {
  return unless_none(find(name), name, to_instant);
}
std::optional<Price> Arguments::optional_price(const char* name) {
  return unless_none(find(name), name, to_price);
}
std::optional<Role> Arguments::optional_role(const char* name) {
  return unless_none(find(name), name, to_role);
}
std::optional<std::string> Arguments::optional_json(const char* name) {
  return unless_none(find(name), name, to_json);
}

void Arguments::check_names() const {
  for (const auto& [key, value] : request_) {
    const std::string name = readable(key);
    const bool asked =
        std::any_of(asked_.begin(), asked_.end(), [&](const char* known) { return name == known; });
    if (!asked) {
      throw InvalidArgument(
          name, "no such member: this request takes " + [&] {
            std::string known;
            for (const char* each : asked_) {
              known += (known.empty() ? "" : ", ") + std::string(each);
            }
            return known;
          }());
    }
  }
}

}  // namespace accounting::python
