#include "domain/permissions.hpp"

#include "accounting/error.hpp"

#include <algorithm>
#include <array>

namespace accounting::domain {
namespace {

constexpr std::string_view credits_read = "credits:read";
constexpr std::string_view usage_write = "usage:write";
constexpr std::string_view usage_read = "usage:read";
constexpr std::string_view keys_write = "keys:write";
constexpr std::string_view credits_write = "credits:write";
constexpr std::string_view admin = "admin";

constexpr std::array names = {credits_read, usage_write,   usage_read,
                              keys_write,   credits_write, admin};

constexpr Grant user_with(std::string_view permission) {
  return {.role = Role::user, .permission = permission};
}
constexpr Grant supervisor_with(std::string_view permission) {
  return {.role = Role::supervisor, .permission = permission};
}
constexpr Grant admin_with(std::string_view permission) {
  return {.role = Role::admin, .permission = permission};
}
constexpr Grant everybody{.role = Role::user, .permission = std::nullopt};
constexpr Grant admins = admin_with(admin);
constexpr std::optional<Grant> host_alone = std::nullopt;

using enum Operation;

constexpr std::array rules = {
    PermissionRule{get_account, "accounts.get", user_with(credits_read), admins},
    PermissionRule{list_accounts, "accounts.list", admins, admins},
    PermissionRule{sync_account, "accounts.sync", admins, admins},
    PermissionRule{balance, "credits.balance", user_with(credits_read),
                   supervisor_with(credits_read)},
    PermissionRule{check, "credits.check", user_with(credits_read), host_alone},
    PermissionRule{history, "credits.history", user_with(credits_read), admins},
    PermissionRule{entries, "credits.entries", user_with(credits_read), admins},
    // Giving oneself credits is what a supervisor must not do.
    PermissionRule{allocate, "credits.allocate", admin_with(credits_write),
                   supervisor_with(credits_write)},
    PermissionRule{deduct, "credits.deduct", user_with(usage_write), host_alone},
    PermissionRule{charge, "credits.charge", user_with(usage_write), host_alone},
    PermissionRule{revoke, "credits.revoke", admins, admins},
    PermissionRule{initialize, "sessions.initialize", user_with(usage_write), host_alone},
    PermissionRule{get_session, "sessions.get", user_with(usage_write), host_alone},
    PermissionRule{report, "sessions.report", user_with(usage_write), host_alone},
    PermissionRule{extend, "sessions.extend", user_with(usage_write), host_alone},
    PermissionRule{finalize, "sessions.finalize", user_with(usage_write), host_alone},
    PermissionRule{abort, "sessions.abort", user_with(usage_write), admins},
    PermissionRule{active_sessions, "sessions.active", user_with(usage_write),
                   supervisor_with(usage_write)},
    PermissionRule{all_active_sessions, "sessions.all_active", admins, admins},
    PermissionRule{expire_stale, "sessions.expire_stale", host_alone, host_alone},
    PermissionRule{record, "usage.record", user_with(usage_write), host_alone},
    PermissionRule{list_usage, "usage.list", user_with(usage_read), supervisor_with(usage_read)},
    PermissionRule{user_stats, "usage.user_stats", user_with(usage_read),
                   supervisor_with(usage_read)},
    PermissionRule{system_stats, "usage.system_stats", admins, admins},
    PermissionRule{get_price, "pricing.get", everybody, everybody},
    PermissionRule{list_prices, "pricing.list", everybody, everybody},
    PermissionRule{calculate, "pricing.calculate", everybody, everybody},
    PermissionRule{set_price, "pricing.set", admins, admins},
    PermissionRule{create_key, "api_keys.create", user_with(keys_write), admins},
    PermissionRule{list_keys, "api_keys.list", user_with(keys_write), admins},
    PermissionRule{update_key, "api_keys.update", user_with(keys_write), admins},
    PermissionRule{revoke_key, "api_keys.revoke", user_with(keys_write), admins},
    PermissionRule{rotate_key, "api_keys.rotate", user_with(keys_write), admins},
    PermissionRule{delete_key, "api_keys.delete", user_with(keys_write), admins},
    PermissionRule{validate_key, "api_keys.validate", host_alone, host_alone},
    PermissionRule{list_audit, "audit.list", host_alone, host_alone},
};

constexpr bool in_order_of_the_enum() {
  for (std::size_t index = 0; index < rules.size(); ++index) {
    if (static_cast<std::size_t>(rules[index].operation) != index) {
      return false;
    }
  }
  return true;
}
static_assert(in_order_of_the_enum());
static_assert(rules.size() == static_cast<std::size_t>(list_audit) + 1);

/// "user", "user, `credits:read`", "the host alone".
std::string described(const std::optional<Grant>& grant) {
  if (!grant) {
    return "the host alone";
  }
  std::string text(to_string(grant->role));
  if (grant->permission) {
    text += ", `" + std::string(*grant->permission) + "`";
  }
  return text;
}

}  // namespace

std::span<const PermissionRule> permission_rules() noexcept { return rules; }

const PermissionRule& rule_of(Operation operation) noexcept {
  return rules[static_cast<std::size_t>(operation)];
}

std::span<const std::string_view> permission_names() noexcept { return names; }

Caller caller_of(const Principal& principal) {
  return {.user_id = principal.user_id,
          .role = principal.role,
          .permissions = std::nullopt,
          .key_id = std::nullopt};
}

std::string actor_of(const Caller& caller) {
  return caller.key_id ? "key:" + std::to_string(*caller.key_id) + ":" + caller.user_id
                       : "principal:" + caller.user_id;
}

const Grant& grant_for(Operation operation, const Caller& caller, std::string_view user_id) {
  const PermissionRule& rule = rule_of(operation);
  const bool is_own = user_id == caller.user_id;
  const std::optional<Grant>& grant = is_own ? rule.own : rule.other;
  if (!grant) {
    const std::string place = is_own || rule.own == rule.other ? "" : " on another's account";
    throw Forbidden(std::string(rule.name) + place + " is for the host alone");
  }
  return *grant;
}

void check_permission(Operation operation, const Grant& grant, const Caller& caller) {
  if (!caller.permissions || !grant.permission) {
    return;
  }
  if (std::ranges::find(*caller.permissions, *grant.permission) == caller.permissions->end()) {
    throw Forbidden(std::string(rule_of(operation).name) + " needs a key with the permission " +
                    std::string(*grant.permission));
  }
}

void check_role(Operation operation, const Grant& grant, Role role) {
  if (role < grant.role) {
    throw Forbidden(std::string(rule_of(operation).name) + " here needs the role " +
                    std::string(to_string(grant.role)));
  }
}

void check_handed_on(const Caller& caller, const std::vector<std::string>& permissions) {
  if (!caller.permissions) {
    return;
  }
  for (const std::string& permission : permissions) {
    if (std::ranges::find(*caller.permissions, permission) == caller.permissions->end()) {
      throw Forbidden("a key can hand on only permissions that it carries, and it lacks " +
                      permission);
    }
  }
}

std::string permission_table() {
  std::string table =
      "| operation | on one's own account | on another's |\n"
      "|---|---|---|\n";
  for (const PermissionRule& rule : rules) {
    table += "| `" + std::string(rule.name) + "` | " + described(rule.own) + " | " +
             described(rule.other) + " |\n";
  }
  return table;
}

}  // namespace accounting::domain
