#include "errors.hpp"

#include "python_side.hpp"

#include <exception>
#include <string>
#include <string_view>

namespace accounting::python {
namespace {

/// A message may quote what the caller gave, in whatever encoding that was.
py::str lenient(std::string_view text) {
  PyObject* decoded =
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace");
  if (decoded == nullptr) {
    throw py::error_already_set();
  }
  return py::reinterpret_steal<py::str>(decoded);
}

}  // namespace

py::object error_value(const AccountingError& error) {
  const py::object& error_class =
      python_side().error_classes.at(std::string(to_string(error.code())));
  if (const auto* invalid = dynamic_cast<const InvalidArgument*>(&error)) {
    return error_class(lenient(invalid->argument()), lenient(invalid->expected()));
  }
  if (const auto* unauthenticated = dynamic_cast<const Unauthenticated*>(&error)) {
    return error_class(lenient(error.what()), lenient(to_string(unauthenticated->reason())));
  }
  if (const auto* insufficient = dynamic_cast<const InsufficientCredits*>(&error)) {
    return error_class(insufficient->required(), insufficient->available());
  }
  return error_class(lenient(error.what()), py::arg("retryable") = error.retryable());
}

void translate_errors() {
  py::register_local_exception_translator([](std::exception_ptr raised) {
    try {
      if (raised) {
        std::rethrow_exception(raised);
      }
    } catch (const AccountingError& error) {
      try {
        const py::object value = error_value(error);
        PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(value.ptr())), value.ptr());
      } catch (py::error_already_set& raised_instead) {
        // The constructor is Python code, in which a Ctrl-C that came during the call is raised.
        raised_instead.restore();
      }
    }
  });
}

}  // namespace accounting::python
