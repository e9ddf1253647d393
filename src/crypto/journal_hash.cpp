#include "crypto/journal_hash.hpp"

#include "crypto/digest.hpp"

#include <array>
#include <charconv>
#include <cstdint>

namespace accounting::crypto {
namespace {

/// Writes fields behind one another. No stored text holds a NUL byte, so that one after each field
/// keeps different fields from writing the same bytes.
class Fields {
 public:
  Fields() { bytes_.reserve(256); }

  Fields& add(std::string_view text) {
    bytes_.append(text);
    bytes_ += '\0';
    return *this;
  }

  Fields& add(std::int64_t number) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    return add(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
  }

  /// A mark tells an empty text from none.
  template <class Value>
  Fields& add_optional(const std::optional<Value>& value) {
    if (!value) {
      return add("-");
    }
    bytes_ += '+';
    return add(*value);
  }

  [[nodiscard]] std::string_view bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace

std::string journal_hash(std::string_view previous, const CreditEntry& entry) {
  Fields fields;
  fields.add(previous)
      .add(entry.user_id)
      .add(entry.sequence)
      .add(entry.allocation_id)
      .add(to_string(entry.kind))
      .add(entry.credits)
      .add(entry.held_credits)
      .add_optional(entry.session_id)
      .add_optional(entry.usage_id)
      .add(entry.actor)
      .add(entry.created_at.time_since_epoch().count());
  return sha256_hex(fields.bytes());
}

}  // namespace accounting::crypto
