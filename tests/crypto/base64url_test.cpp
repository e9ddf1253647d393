// Base64url: one spelling for each value, and no other.
#include "crypto/base64url.hpp"
#include "crypto/sign.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

namespace accounting::testing {

using crypto::decode_base64url;

TEST_CASE("base64url has one spelling") {
  struct Row {
    std::string what;
    std::string text;
    std::optional<std::string> bytes;
  };
  const std::optional<std::string> refused;
  const std::vector<Row> rows = {
      {"nothing", "", ""},
      {"one byte", "Zg", "f"},
      {"two bytes", "Zm8", "fo"},
      {"three bytes", "Zm9v", "foo"},
      {"four bytes", "Zm9vYg", "foob"},
      {"zeros", "AAAA", std::string(3, '\0')},
      {"the two digits of its own", "-_-_", "\xFB\xFF\xBF"},
      {"the last digit", "____", "\xFF\xFF\xFF"},

      {"a length that no bytes make", "Z", refused},
      {"the same, longer", "Zm9vY", refused},
      {"bits beyond one byte", "Zh", refused},
      {"the lowest of them", "Zi", refused},
      {"bits beyond two bytes", "Zm9", refused},
      {"padding", "Zg==", refused},
      {"padding of two bytes", "Zm8=", refused},
      {"padding of nothing", "====", refused},
      {"the digits of plain base64: +", "+A", refused},
      {"the digits of plain base64: /", "/A", refused},
      {"a blank before", " Zg", refused},
      {"a blank inside", "Z g", refused},
      {"a line end after", "Zg\n", refused},
      {"a dot", "Zm.v", refused},
      {"a question mark", "Zm?v", refused},
      {"NUL", std::string("Zm\0v", 4), refused},
      {"a byte above ASCII", "Zm\xC3v", refused},
      {"the neighbours of the alphabet: @", "@A", refused},
      {"the neighbours of the alphabet: [", "[A", refused},
      {"the neighbours of the alphabet: `", "`A", refused},
      {"the neighbours of the alphabet: {", "{A", refused},
      {"the neighbours of the alphabet: :", ":A", refused},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    CHECK(decode_base64url(row.text) == row.bytes);
  }
}

TEST_CASE("all pairs of digits: one in sixteen is a byte, each byte once") {
  int accepted = 0;
  std::string seen;
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string text{static_cast<char>(first), static_cast<char>(second)};
      if (const auto bytes = decode_base64url(text)) {
        ++accepted;
        REQUIRE(bytes->size() == 1);
        CHECK(seen.find(*bytes) == std::string::npos);
        seen += *bytes;
        CHECK(encode_base64url(*bytes) == text);
      }
    }
  }
  CHECK(accepted == 256);
}

}  // namespace accounting::testing
