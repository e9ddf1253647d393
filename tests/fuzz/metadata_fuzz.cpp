// Metadata: the canonical text of any input is canonical itself, or the input is refused.
#include "accounting/error.hpp"
#include "domain/validation.hpp"
#include "fuzz/fuzz.hpp"

#include <optional>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using accounting::domain::canonical_metadata;
  const std::string input(reinterpret_cast<const char*>(data), size);
  std::optional<std::string> canonical;
  try {
    canonical = canonical_metadata(input);
  } catch (const accounting::InvalidArgument& error) {
    require(error.argument() == "metadata", "the refusal names the argument");
    return 0;
  }
  require(canonical.has_value(), "metadata that is taken has a canonical text");
  require(input.find('\0') == std::string::npos, "metadata that is taken has no NUL");
  // Spelling numbers out may make a text longer than what is taken.
  if (canonical->size() <= accounting::domain::largest_metadata) {
    require(canonical_metadata(canonical) == canonical, "a canonical text is its own");
  }
  return 0;
}
