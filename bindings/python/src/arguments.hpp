// Arguments: from Python objects to what the C++ requests take. Whatever does not fit throws
// InvalidArgument with the argument's name, because Python's own messages would not name it.
#pragma once

#include <pybind11/pybind11.h>
#include <accounting/accounting.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace accounting::python {

namespace py = pybind11;

// One value each; `name` is the argument's, for the error.
/// Throws InvalidArgument: what was expected, and what came instead.
[[noreturn]] void refuse(const std::string& name, const std::string& expected, py::handle given);

std::string to_text(py::handle value, const std::string& name);
/// Text that is overwritten at its end.
class SecretText {
 public:
  explicit SecretText(std::string text) : text(std::move(text)) {}
  SecretText(SecretText&&) noexcept = default;
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;
  SecretText& operator=(SecretText&&) = delete;
  ~SecretText();

  std::string text;
};

/// A secret: bytes, or the UTF-8 of a str.
SecretText to_secret(py::handle value, const std::string& name);
/// What a stranger presented. Text that UTF-8 cannot encode is no mistake of the host's: it
/// becomes text that no check accepts.
SecretText to_presented(py::handle value, const std::string& name);
/// A whole number of 64 bits; no bool, no float.
std::int64_t to_integer(py::handle value, const std::string& name);
bool to_boolean(py::handle value, const std::string& name);
/// From str, Decimal or int; never from float.
Price to_price(py::handle value, const std::string& name);
/// From an int or a TokenCounts.
Tokens to_tokens(py::handle value, const std::string& name);
Role to_role(py::handle value, const std::string& name);
/// From any iterable of str that is no str itself.
std::vector<std::string> to_names(py::handle value, const std::string& name);
/// JSON text from a Python value; throws where it is not JSON, and says where.
std::string to_json(py::handle value, const std::string& name);

/// The arguments of one call, or the members of one request of a `_many` call, by name.
class Arguments {
 public:
  struct Given {
    const char* name;
    py::handle value;
  };

  /// Of a call.
  Arguments(std::initializer_list<Given> given) : given_(given) {}
  /// Of a request among several: a dict, or another mapping. `check_names` follows.
  explicit Arguments(py::handle request);

  // Required: throws where it is missing.
  [[nodiscard]] std::string text(const char* name);
  [[nodiscard]] std::int64_t integer(const char* name);
  [[nodiscard]] Price price(const char* name);
  [[nodiscard]] Tokens tokens(const char* name);

  // With a default for where it is missing.
  [[nodiscard]] std::string text_or(const char* name, const char* otherwise);
  [[nodiscard]] bool boolean_or(const char* name, bool otherwise);

  // None where it is missing or None.
  [[nodiscard]] std::optional<std::string> optional_text(const char* name);
  [[nodiscard]] std::optional<std::int64_t> optional_integer(const char* name);
  [[nodiscard]] std::optional<bool> optional_boolean(const char* name);
  [[nodiscard]] std::optional<Timestamp> optional_instant(const char* name);
  [[nodiscard]] std::optional<Price> optional_price(const char* name);
  [[nodiscard]] std::optional<Role> optional_role(const char* name);
  [[nodiscard]] std::optional<std::string> optional_json(const char* name);

  /// Throws where a request has a member that nothing asked for.
  void check_names() const;

 private:
  /// Null where it is missing.
  py::handle find(const char* name);
  py::handle required(const char* name);

  std::vector<Given> given_;
  py::dict request_;
  bool is_request_ = false;
  std::vector<const char*> asked_;
};

}  // namespace accounting::python
