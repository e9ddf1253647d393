// Permissions: who may do what on behalf of a principal or an API key. One table of data; pure.
#pragma once

#include "accounting/accounts.hpp"
#include "accounting/identity.hpp"
#include "accounting/types.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace accounting::domain {

/// What can be asked of the services. `record_many`, `allocate_many` and `charge_many` ask for each
/// of their requests what the single call asks.
enum class Operation {
  get_account,
  list_accounts,
  sync_account,
  balance,
  check,
  history,
  entries,
  allocate,
  deduct,
  charge,
  revoke,
  initialize,
  get_session,
  report,
  extend,
  finalize,
  abort,
  active_sessions,
  all_active_sessions,
  expire_stale,
  record,
  list_usage,
  user_stats,
  system_stats,
  get_price,
  list_prices,
  calculate,
  set_price,
  create_key,
  list_keys,
  update_key,
  revoke_key,
  rotate_key,
  delete_key,
  validate_key,
  list_audit
};

/// What a role may do and what permission a key needs for it.
struct Grant {
  Role role;  ///< the least that may
  /// That a key must carry; none: any key.
  std::optional<std::string_view> permission;

  friend bool operator==(const Grant&, const Grant&) = default;
};

/// One line of the table. An operation that is about no account has the same grants twice.
struct PermissionRule {
  Operation operation;
  std::string_view name;       ///< as callers write it, for example "credits.balance"
  std::optional<Grant> own;    ///< on one's own account; none: for the host alone
  std::optional<Grant> other;  ///< on another's; none: for the host alone
};

/// The table, a line for each operation, in the order of the enum.
std::span<const PermissionRule> permission_rules() noexcept;
const PermissionRule& rule_of(Operation operation) noexcept;

/// The permissions that an API key may carry, by name.
std::span<const std::string_view> permission_names() noexcept;

/// Who acts: a principal, or an API key in the name of its owner.
struct Caller {
  std::string user_id;
  /// Of a principal, as its token said; none for a key, whose owner's present role counts.
  std::optional<Role> role;
  /// Of a key; none for a principal, whom the role alone limits.
  std::optional<std::vector<std::string>> permissions;
  std::optional<std::int64_t> key_id;

  friend bool operator==(const Caller&, const Caller&) = default;
};

Caller caller_of(const Principal& principal);

/// As it stands in the journal and the audit trail: "principal:ada", "key:3:ada".
std::string actor_of(const Caller& caller);

/// Which grant a call needs. Throws Forbidden where it is for the host alone.
const Grant& grant_for(Operation operation, const Caller& caller, std::string_view user_id);
/// Throws Forbidden where a key lacks the permission.
void check_permission(Operation operation, const Grant& grant, const Caller& caller);
/// Throws Forbidden where the role is too low.
void check_role(Operation operation, const Grant& grant, Role role);
/// Throws Forbidden where a key would hand on more than it carries itself.
void check_handed_on(const Caller& caller, const std::vector<std::string>& permissions);

/// The table as Markdown, for the documentation.
std::string permission_table();

}  // namespace accounting::domain
