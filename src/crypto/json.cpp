#include "crypto/json.hpp"

#include <cstddef>
#include <set>
#include <vector>

namespace accounting::crypto {
namespace {

using Json = nlohmann::json;

constexpr std::size_t deepest = 8;
constexpr std::size_t longest_quote = 64;

/// Finds what a plain parse would let pass: of duplicate members it keeps one silently.
class StrictChecker final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t& text) override { return is_free_of_nul(text); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return enter(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    if (!members_.back().insert(name).second) {
      fault_ = JsonFault::duplicate_member;
      return false;
    }
    return is_free_of_nul(name);
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    return false;
  }

  /// Why the reading stopped.
  [[nodiscard]] JsonFault fault() const noexcept { return fault_; }

 private:
  static bool is_free_of_nul(const string_t& text) { return text.find('\0') == string_t::npos; }

  bool enter() {
    members_.emplace_back();
    if (members_.size() > deepest) {
      fault_ = JsonFault::too_deep;
      return false;
    }
    return true;
  }
  bool leave() {
    members_.pop_back();
    return true;
  }

  std::vector<std::set<std::string>> members_;
  JsonFault fault_ = JsonFault::malformed;
};

}  // namespace

JsonReading read_json_object(std::string_view text) {
  // The parser skips a byte order mark and takes NUL for the end of the text.
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos || text[begin] != '{' ||
      text.find('\0') != std::string_view::npos) {
    return {.value = {}, .fault = JsonFault::malformed};
  }
  StrictChecker checker;
  if (!Json::sax_parse(text, &checker)) {
    return {.value = {}, .fault = checker.fault()};
  }
  return {.value = Json::parse(text)};
}

std::string_view to_string(JsonFault fault) noexcept {
  switch (fault) {
    case JsonFault::none:
      return "is a JSON object";
    case JsonFault::malformed:
      return "is not one JSON object in UTF-8 without NUL";
    case JsonFault::too_deep:
      return "is nested more than 8 levels deep";
    case JsonFault::duplicate_member:
      return "has a member twice";
  }
  return "is unreadable";
}

std::string in_quotes(std::string_view text) {
  const bool cut = text.size() > longest_quote;
  const Json value = std::string(text.substr(0, longest_quote));
  return value.dump(-1, ' ', true, Json::error_handler_t::replace) + (cut ? "…" : "");
}

}  // namespace accounting::crypto
