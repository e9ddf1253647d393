// Burn order: which credits go first. The one comparator of the whole library.
#pragma once

#include "accounting/types.hpp"

#include <compare>
#include <cstdint>
#include <optional>

namespace accounting::domain {

/// An allocation's place: earliest expiry first (none last), then earliest allocated, then id.
struct BurnPosition {
  std::optional<Timestamp> expires_at;
  Timestamp allocated_at;
  std::int64_t id = 0;

  friend bool operator==(const BurnPosition&, const BurnPosition&) = default;
};

inline std::strong_ordering operator<=>(const BurnPosition& left, const BurnPosition& right) {
  const bool both_expire = left.expires_at && right.expires_at;
  if (both_expire && *left.expires_at != *right.expires_at) {
    return *left.expires_at <=> *right.expires_at;
  }
  if (left.expires_at.has_value() != right.expires_at.has_value()) {
    return left.expires_at ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  if (left.allocated_at != right.allocated_at) {
    return left.allocated_at <=> right.allocated_at;
  }
  return left.id <=> right.id;
}

}  // namespace accounting::domain
