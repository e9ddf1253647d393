// API keys: secrets that programs present in place of a person, each with what it may be used for.
#pragma once

#include <accounting/export.hpp>
#include <accounting/types.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace accounting {

namespace services {
class Context;
}

/// A key as it is stored: without its secret.
struct ApiKey {
  std::int64_t id = 0;  ///< counts from 1 within the account
  std::string user_id;
  std::string name;
  std::string prefix;     ///< what the key begins with, before its first underscore
  std::string last_four;  ///< its last four characters, for people to tell keys apart
  std::vector<std::string> permissions;
  bool is_active = true;  ///< false: suspended, until it is resumed
  Timestamp created_at;
  std::optional<Timestamp> expires_at;  ///< none: never
  std::optional<Timestamp> last_used;   ///< to the minute; none: not yet
  std::optional<Timestamp> revoked_at;  ///< none: not revoked

  friend bool operator==(const ApiKey&, const ApiKey&) = default;
};

/// A new key with its secret, which is nowhere else and cannot be had again.
struct IssuedApiKey {
  std::string key;
  ApiKey api_key;

  friend bool operator==(const IssuedApiKey&, const IssuedApiKey&) = default;
};

/// What a valid key stands for.
struct KeyIdentity {
  std::string user_id;
  std::vector<std::string> permissions;
  std::int64_t key_id = 0;

  friend bool operator==(const KeyIdentity&, const KeyIdentity&) = default;
};

struct CreateApiKeyRequest {
  std::string user_id = {};
  std::string name;  ///< 1 … 100 bytes; need not be unique
  /// Of "credits:read", "usage:write", "usage:read", "keys:write", "credits:write" and "admin";
  /// named twice is the same as once. docs/permissions.md says what each is for.
  std::vector<std::string> permissions = {};
  std::optional<std::int64_t> expiry_days = std::nullopt;  ///< 1 … 1,000,000 days; none: never
};

struct ListApiKeysRequest {
  std::string user_id = {};
};

struct UpdateApiKeyRequest {
  std::int64_t key_id = 0;
  std::string user_id = {};
  std::optional<std::string> name = std::nullopt;                      ///< 1 … 100 bytes
  std::optional<std::vector<std::string>> permissions = std::nullopt;  ///< none: unchanged
  std::optional<bool> is_active = std::nullopt;                        ///< none: unchanged
};

/// Names one key, to revoke, rotate or delete it.
struct ApiKeyRequest {
  std::int64_t key_id = 0;
  std::string user_id = {};
};

/// The API keys of accounts. A key is `<prefix>_` and 46 letters and digits, of which the last six
/// are a checksum; stored are its hash, the prefix and the last four characters. Thread-safe; a
/// cheap handle that may be copied and that keeps the books open. Every call may throw
/// InvalidArgument, NotFound (no such account or key) and StoreError.
class ACCOUNTING_EXPORT ApiKeys {
 public:
  explicit ApiKeys(std::shared_ptr<const services::Context> context);

  /// Issues a key. The answer is the only place that ever holds its secret.
  IssuedApiKey create(const CreateApiKeyRequest& request);

  /// All keys of the account but the deleted ones, oldest first.
  [[nodiscard]] std::vector<ApiKey> list(const ListApiKeysRequest& request = {}) const;
  [[nodiscard]] std::vector<ApiKey> list(std::string_view user_id) const {
    return list(ListApiKeysRequest{.user_id = std::string(user_id)});
  }

  /// Renames a key, changes its permissions, suspends or resumes it. Errors: Conflict (revoked).
  ApiKey update(const UpdateApiKeyRequest& request);

  /// Ends a key for good: `validate` accepts it no more once this has returned. Again: the same
  /// answer.
  ApiKey revoke(const ApiKeyRequest& request);

  /// Issues a key of the same name, permissions and length of life as the old one was issued for,
  /// and lets the old one overlap: it expires after 24 hours, or earlier where it would have.
  /// Errors: Conflict (revoked, expired or suspended).
  IssuedApiKey rotate(const ApiKeyRequest& request);

  /// Revokes a key and takes it out of every list. Its row and its audit stay. Harmless when
  /// repeated.
  void remove(const ApiKeyRequest& request);

  /// Whose key this is and what it may be used for. Errors: InvalidApiKey (malformed, unknown,
  /// suspended, revoked or expired; which of these is not said). Notes the use, once a minute and
  /// only where that waits for nobody.
  [[nodiscard]] KeyIdentity validate(std::string_view key) const;

 private:
  std::shared_ptr<const services::Context> context_;
};

}  // namespace accounting
