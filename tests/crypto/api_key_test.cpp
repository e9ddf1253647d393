// API keys as text: their form, their checksum, and what is stored of them.
#include "crypto/api_key.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>

namespace accounting::testing {
namespace {

// zlib.crc32 of it is 0xa4df3382.
const std::string kBody = "acct_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcd";

}  // namespace

TEST_SUITE("API keys as text") {
  TEST_CASE("the checksum is CRC-32 in six digits of base 62") {
    CHECK(crypto::is_api_key(kBody + "31CEfC", "acct"));
  }

  TEST_CASE("one wrong character anywhere is noticed without asking anybody") {
    const std::string key = crypto::new_api_key("acct");
    REQUIRE(crypto::is_api_key(key, "acct"));
    for (std::size_t at = 0; at < key.size(); ++at) {
      std::string slip = key;
      slip[at] = slip[at] == 'x' ? 'y' : 'x';
      CAPTURE(at);
      CHECK_FALSE(crypto::is_api_key(slip, "acct"));
    }
    CHECK_FALSE(crypto::is_api_key(key, "corp"));
    CHECK_FALSE(crypto::is_api_key(key + "0", "acct"));
  }

  TEST_CASE("every letter and digit is as likely as any other") {
    std::map<char, int> counts;
    constexpr int keys = 4'000;
    for (int number = 0; number < keys; ++number) {
      const std::string key = crypto::new_api_key("acct");
      for (const char character : key.substr(5, 40)) {
        ++counts[character];
      }
    }
    CHECK(counts.size() == 62);
    constexpr double expected = keys * 40 / 62.0;
    double chi_squared = 0;
    for (const auto& [character, count] : counts) {
      chi_squared += (count - expected) * (count - expected) / expected;
    }
    // With 61 degrees of freedom, one fair run in a million is above 131. Bytes taken modulo 62
    // without rejection give about 1,100.
    CHECK(chi_squared < 131);
  }

  TEST_CASE("a pepper makes another hash") {
    const std::string pepper(32, 'p');
    CHECK(crypto::api_key_hash("key", "") ==
          "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683");
    CHECK(crypto::api_key_hash("key", pepper) ==
          "0239f2bc748535646361aa959fe5542885e4771345f08a350a3e8522be0d8159");
    CHECK(crypto::same_hash("ab", "ab"));
    CHECK_FALSE(crypto::same_hash("ab", "ac"));
    CHECK_FALSE(crypto::same_hash("ab", "abc"));
  }
}

}  // namespace accounting::testing
