// Metadata: JSON text, kept in one canonical form, refused where a database could not hold it or
// a reader could not trust it.
#include "accounting/error.hpp"
#include "domain/validation.hpp"
#include "unit/desk.hpp"

#include <string>
#include <vector>

namespace accounting::testing {
namespace {

std::string nested(std::size_t levels) {
  return std::string(levels, '[') + std::string(levels, ']');
}

}  // namespace

TEST_CASE("metadata is kept without blanks and with sorted members") {
  struct Row {
    std::string given;
    std::string kept;
  };
  const std::vector<Row> rows = {
      {"{}", "{}"},
      {" { } ", "{}"},
      {R"({"b": 1, "a": 2})", R"({"a":2,"b":1})"},
      {R"({"z":{"y":1,"x":[3, 2 ,1]}})", R"({"z":{"x":[3,2,1],"y":1}})"},
      {"[1, true, null]", "[1,true,null]"},
      {"\"text\"", "\"text\""},
      {"0", "0"},
      {"null", "null"},
      {R"({"a":"\u00e9"})", "{\"a\":\"é\"}"},
      {R"({"a":1,"A":2})", R"({"A":2,"a":1})"},
      {R"({"big":9223372036854775807})", R"({"big":9223372036854775807})"},
      {"18446744073709551615", "18446744073709551615"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"1.50", "1.5"},
      {"1e2", "100.0"},
      // Whole numbers that would be written with an exponent, as jsonb gives them back.
      {"1e15", "1000000000000000"},
      {"-1.5e15", "-1500000000000000"},
      {"1e300", "1e+300"},
      {"-0", "0"},
      {R"([-0.0,{"a":-0.0}])", R"([0.0,{"a":0.0}])"},
      {R"([{"a":1},{"a":2}])", R"([{"a":1},{"a":2}])"},
      {nested(64), nested(64)},
      {"\"" + std::string(domain::largest_metadata - 2, 'x') + "\"",
       "\"" + std::string(domain::largest_metadata - 2, 'x') + "\""},
  };
  for (const auto& [given, kept] : rows) {
    CAPTURE(given.substr(0, 60));
    CHECK(domain::canonical_metadata(given) == kept);
    CHECK(domain::canonical_metadata(kept) == kept);
  }
  CHECK_FALSE(domain::canonical_metadata(std::nullopt).has_value());
}

TEST_CASE("metadata that is no such text is refused") {
  const std::vector<std::string> texts = {
      "",
      " ",
      "{",
      "{}x",
      "{} {}",
      "{'a':1}",
      "{a:1}",
      "[1,]",
      "NaN",
      "Infinity",
      "1e999",
      // Integers that would be rounded.
      "18446744073709551616",
      "-9223372036854775809",
      R"({"id":123456789012345678901234567890})",
      "// comment\n{}",
      R"({"a":1,"a":2})",
      R"({"x":{"a":1,"a":1}})",
      R"([{"a":1,"\u0061":2}])",
      R"("\u0000")",
      R"({"\u0000":1})",
      std::string("\"a\0b\"", 5),
      std::string("{}\0", 3),
      std::string("{}\0{", 4),
      R"("\ud800")",
      "\"\xC3\x28\"",
      "\xEF\xBB\xBF",
      nested(65),
      nested(10'000),
      "\"" + std::string(domain::largest_metadata - 1, 'x') + "\"",
  };
  for (const std::string& text : texts) {
    CAPTURE(text.substr(0, 60));
    try {
      static_cast<void>(domain::canonical_metadata(text));
      FAIL_CHECK("it was taken");
    } catch (const InvalidArgument& error) {
      CHECK(error.argument() == "metadata");
    }
  }
}

}  // namespace accounting::testing
