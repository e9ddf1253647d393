// API keys as the rules see them: a stored row, and what may become of it.
#pragma once

#include "accounting/api_keys.hpp"
#include "accounting/audit.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace accounting::domain {

/// How long a rotated key goes on beside its successor.
inline constexpr std::chrono::hours rotation_overlap{24};
/// Uses closer together than this are noted once.
inline constexpr std::chrono::minutes last_used_interval{1};

/// A key's whole row.
struct ApiKeyRecord {
  ApiKey api_key;
  std::string key_hash;
  std::optional<Timestamp> deleted_at;
  /// Microseconds that the key was issued for, also where rotation has shortened them; none: for
  /// ever.
  std::optional<std::int64_t> lifetime;

  friend bool operator==(const ApiKeyRecord&, const ApiKeyRecord&) = default;
};

/// Throws InvalidArgument for a word that is no permission. Answers each word once, in the order
/// in which they came.
std::vector<std::string> checked_permissions(const std::vector<std::string>& permissions);
void check_key_id(std::int64_t key_id, std::string_view argument = "key_id");

/// The key as `request` wants it. Throws Conflict for a key that is revoked.
ApiKey updated(ApiKey key, const UpdateApiKeyRequest& request);
/// The key, revoked at `now` unless it was before.
ApiKey revoked(ApiKey key, Timestamp now);

/// What rotating a key comes to.
struct Rotation {
  ApiKey old_key;    ///< with its end
  ApiKey successor;  ///< without id, prefix and last four characters
};
/// Throws Conflict for a key that is revoked, expired or suspended.
Rotation rotated(const ApiKeyRecord& record, Timestamp now);

/// What the audit trail says of a key: all but its secret, as a JSON object.
std::string described(const ApiKey& key);

}  // namespace accounting::domain
