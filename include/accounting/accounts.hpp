// Accounts: who can hold credits. Accounts come from an authentication service; here they are
// mirrored, never invented.
#pragma once

#include <accounting/export.hpp>
#include <accounting/types.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace accounting {

namespace services {
class Context;
}

enum class Role { user, supervisor, admin };

/// The stored word: "user", "supervisor", "admin".
ACCOUNTING_EXPORT std::string_view to_string(Role role) noexcept;

struct UserAccount {
  std::string user_id;
  std::string email;
  std::string username;
  Role role = Role::user;
  Timestamp created_at;
  Timestamp updated_at;  ///< when email, username or role last changed

  friend bool operator==(const UserAccount&, const UserAccount&) = default;
};

struct SyncRequest {
  std::string user_id = {};                 ///< 1 … 50 bytes
  std::string email;                        ///< 1 … 255 bytes; need not be unique
  std::string username;                     ///< 1 … 100 bytes
  std::optional<Role> role = std::nullopt;  ///< none: `user` when new, unchanged when known
};

struct SyncResult {
  UserAccount account;
  /// False where the account was known, also from a try of the same call whose answer was lost.
  bool created = false;

  friend bool operator==(const SyncResult&, const SyncResult&) = default;
};

struct GetAccountRequest {
  std::string user_id = {};
};

struct ListAccountsRequest {
  std::optional<Role> role = std::nullopt;
  std::int64_t page = 1;    ///< ≥ 1
  std::int64_t limit = 20;  ///< 1 … 1,000
};

/// The accounts of the books. Thread-safe; a cheap handle that may be copied and that keeps the
/// books open.
class ACCOUNTING_EXPORT Accounts {
 public:
  explicit Accounts(std::shared_ptr<const services::Context> context);

  /// Creates the account, or brings a known one up to date. The same call again changes nothing.
  /// Errors: InvalidArgument.
  SyncResult sync(const SyncRequest& request);

  /// Errors: InvalidArgument, NotFound.
  [[nodiscard]] UserAccount get(const GetAccountRequest& request = {}) const;
  [[nodiscard]] UserAccount get(std::string_view user_id) const {
    return get(GetAccountRequest{.user_id = std::string(user_id)});
  }

  /// All accounts, or those of one role, newest first. Errors: InvalidArgument.
  [[nodiscard]] Page<UserAccount> list(const ListAccountsRequest& request = {}) const;

 private:
  std::shared_ptr<const services::Context> context_;
};

}  // namespace accounting
