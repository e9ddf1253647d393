#include "domain/words.hpp"

#include <array>
#include <stdexcept>
#include <string>

namespace accounting {
namespace {

// Each in the order of its enumeration.
constexpr std::array<std::string_view, 3> roles{"user", "supervisor", "admin"};
constexpr std::array<std::string_view, 5> statuses{"active", "completed", "failed", "aborted",
                                                   "expired"};
constexpr std::array<std::string_view, 9> kinds{"allocate", "deduct", "charge",  "hold",  "settle",
                                                "refund",   "move",   "overage", "revoke"};

template <class Value, std::size_t count>
Value value_of(const std::array<std::string_view, count>& words, std::string_view word) {
  for (std::size_t index = 0; index < count; ++index) {
    if (words[index] == word) {
      return static_cast<Value>(index);
    }
  }
  throw std::invalid_argument("an unknown stored word");
}

template <class Value, std::size_t count>
std::string_view word_of(const std::array<std::string_view, count>& words, Value value) {
  const auto index = static_cast<std::size_t>(value);
  return index < count ? words[index] : std::string_view("unknown");
}

}  // namespace

std::string_view to_string(Role role) noexcept { return word_of(roles, role); }
std::string_view to_string(SessionStatus status) noexcept { return word_of(statuses, status); }
std::string_view to_string(EntryKind kind) noexcept { return word_of(kinds, kind); }

namespace domain {

Role role_of(std::string_view word) { return value_of<Role>(roles, word); }
SessionStatus session_status_of(std::string_view word) {
  return value_of<SessionStatus>(statuses, word);
}
EntryKind entry_kind_of(std::string_view word) { return value_of<EntryKind>(kinds, word); }

}  // namespace domain
}  // namespace accounting
