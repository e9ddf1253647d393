// Prices: which texts are one, and how they are printed.
#include "accounting/price.hpp"
#include "accounting/error.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

namespace accounting::testing {
namespace {

struct Printed {
  std::string text;
  std::string printed;
};

}  // namespace

TEST_CASE("a price is printed as its shortest decimal") {
  const std::vector<Printed> rows = {{"0", "0"},
                                     {"3", "3"},
                                     {"0.25", "0.25"},
                                     {"3.0", "3"},
                                     {"3.10", "3.1"},
                                     {"007", "7"},
                                     {"0.0000000001", "0.0000000001"},
                                     {"0.9999999999", "0.9999999999"},
                                     {"12.0500000000", "12.05"},
                                     {"0.10000000000000000", "0.1"},
                                     {"1000000000000000", "1000000000000000"},
                                     {"1000000000000000.000", "1000000000000000"},
                                     {"999999999999999.9999999999", "999999999999999.9999999999"}};
  for (const auto& [text, printed] : rows) {
    CAPTURE(text);
    CHECK(Price(text).to_string() == printed);
    CHECK(Price(printed) == Price(text));
  }
}

TEST_CASE("a text that is no price from 0 to 10^15 is refused") {
  const std::vector<std::string> texts = {"",
                                          " ",
                                          "1 ",
                                          " 1",
                                          "-1",
                                          "+1",
                                          "-0",
                                          ".5",
                                          "5.",
                                          ".",
                                          "1,5",
                                          "1.2.3",
                                          "1e3",
                                          "0x10",
                                          "NaN",
                                          "inf",
                                          "1.00000000001",
                                          "0.12345678901",
                                          "0.1x",
                                          "1000000000000000.0000000001",
                                          "1000000000000001",
                                          "99999999999999999999999999",
                                          std::string("1\0", 2),
                                          "١"};
  for (const std::string& text : texts) {
    CAPTURE(text);
    CHECK_THROWS_AS(Price{text}, InvalidArgument);
  }
}

TEST_CASE("a price from a whole number") {
  CHECK(Price(0).to_string() == "0");
  CHECK(Price() == Price(0));
  CHECK(Price(15) == Price("15.00"));
  CHECK(Price(1'000'000'000'000'000).to_string() == "1000000000000000");
  CHECK_THROWS_AS(Price(-1), InvalidArgument);
  CHECK_THROWS_AS(Price(1'000'000'000'000'001), InvalidArgument);
  CHECK_THROWS_AS(Price(std::numeric_limits<std::int64_t>::min()), InvalidArgument);
  CHECK_THROWS_AS(Price(std::numeric_limits<std::uint64_t>::max()), InvalidArgument);
}

TEST_CASE("prices are ordered as numbers") {
  CHECK(Price("0.9") > Price("0.11111"));
  CHECK(Price("0.9") < Price("1"));
  CHECK(Price("2") < Price("10"));
  CHECK(Price("2.0000000001") > Price("2"));
}

TEST_CASE("a refused price names the argument and says what was expected") {
  try {
    Price("a lot");
    FAIL("it was taken");
  } catch (const InvalidArgument& error) {
    CHECK(error.code() == ErrorCode::invalid_argument);
    CHECK(error.argument() == "price");
    CHECK(error.expected().find("10 fractional digits") != std::string::npos);
  }
}

}  // namespace accounting::testing
