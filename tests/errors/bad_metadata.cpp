#include "errors/bad_input.hpp"

namespace accounting::testing {
namespace {

std::string nested(std::size_t depth, const std::string& open, const std::string& close) {
  std::string text;
  for (std::size_t level = 0; level < depth; ++level) {
    text += open;
  }
  text += "1";
  for (std::size_t level = 0; level < depth; ++level) {
    text += close;
  }
  return text;
}

struct Text {
  const char* what;
  std::string json;
};

std::vector<Text> texts() {
  return {
      {"empty", ""},
      {"blanks", "  "},
      {"a word", "hello"},
      {"an object cut short", R"({"a":1)"},
      {"a string cut short", R"("abc)"},
      {"two values", "{} {}"},
      {"something after the value", "{}x"},
      {"a trailing comma", R"({"a":1,})"},
      {"single quotes", "{'a':1}"},
      {"a comment", "{} // x"},
      {"not a number", "NaN"},
      {"infinity", R"({"a":Infinity})"},
      {"a number too large for anything", "1e999"},
      {"a leading zero", "01"},
      {"an integer beyond 64 bits", "18446744073709551616"},
      {"a negative integer beyond 64 bits", R"({"a":[-9223372036854775809]})"},
      {"a NUL byte", std::string("\"a\0b\"", 5)},
      {"an escaped NUL", R"({"a":"\u0000"})"},
      {"an escaped NUL in a name", R"({"\u0000":1})"},
      {"half of a surrogate pair", R"("\ud800")"},
      {"not UTF-8", "\"\xFF\""},
      {"a control character", "\"\x01\""},
      {"the same member twice", R"({"a":1,"a":2})"},
      {"64 KiB and a byte", "\"" + std::string(64 * 1024 - 1, 'x') + "\""},
      {"64 KiB and a byte, mostly blanks", "{}" + std::string(64 * 1024 - 1, ' ')},
      {"10 MB", "\"" + std::string(10'000'000, 'x') + "\""},
      {"lists 1,000 deep", nested(1'000, "[", "]")},
      {"lists 30,000 deep", nested(30'000, "[", "]")},
      {"objects 1,000 deep", nested(1'000, R"({"a":)", "}")},
      {"lists never closed", std::string(60'000, '[')},
  };
}

}  // namespace

std::vector<BadInput> bad_metadata() {
  std::vector<BadInput> cases;
  for (const auto& [what, json] : texts()) {
    cases.push_back({std::string("credits.charge: metadata ") + what,
                     [json = json](Books& books) {
                       books.credits().charge({"ada", "s", "o", 1, json, "free"});
                     },
                     "invalid_argument(metadata)"});
    cases.push_back({std::string("usage.record: metadata ") + what,
                     [json = json](Books& books) {
                       books.usage().record({"ada", "s", "o", 1, json, "free"});
                     },
                     "invalid_argument(metadata)"});
  }
  return cases;
}

}  // namespace accounting::testing
