// API keys as strangers write them: what passes for one is spelled as the library spells keys, and
// no longer passes with any one character changed.
#include "crypto/api_key.hpp"
#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using accounting::crypto::is_api_key;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!is_api_key(text, "acct")) {
    return 0;
  }
  require(text.starts_with("acct_") && text.size() == 51, "a key has one form");
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string slip(text);
    slip[at] = slip[at] == 'x' ? 'y' : 'x';
    require(!is_api_key(slip, "acct"), "one wrong character is noticed");
  }
  return 0;
}
