#include "domain/api_keys.hpp"

#include "accounting/error.hpp"
#include "domain/permissions.hpp"
#include "domain/validation.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>

namespace accounting::domain {
namespace {

using Json = nlohmann::json;

void refuse_revoked(const ApiKey& key) {
  if (key.revoked_at) {
    throw Conflict("the key was revoked, which is final");
  }
}

Json as_json(const std::optional<Timestamp>& instant) {
  return instant ? Json(instant->time_since_epoch().count()) : Json();
}

}  // namespace

std::vector<std::string> checked_permissions(const std::vector<std::string>& permissions) {
  std::vector<std::string> checked;
  for (const std::string& permission : permissions) {
    if (std::ranges::find(permission_names(), permission) == permission_names().end()) {
      std::string expected = "one of";
      for (const std::string_view name : permission_names()) {
        expected += (name == permission_names().front() ? " " : ", ") + std::string(name);
      }
      throw InvalidArgument("permissions", expected);
    }
    if (std::ranges::find(checked, permission) == checked.end()) {
      checked.push_back(permission);
    }
  }
  return checked;
}

void check_key_id(std::int64_t key_id, std::string_view argument) {
  check_range(argument, key_id, 1, std::numeric_limits<std::int64_t>::max());
}

ApiKey updated(ApiKey key, const UpdateApiKeyRequest& request) {
  refuse_revoked(key);
  key.name = request.name.value_or(key.name);
  key.permissions = request.permissions.value_or(key.permissions);
  key.is_active = request.is_active.value_or(key.is_active);
  return key;
}

ApiKey revoked(ApiKey key, Timestamp now) {
  if (!key.revoked_at) {
    key.is_active = false;
    key.revoked_at = now;
  }
  return key;
}

Rotation rotated(const ApiKeyRecord& record, Timestamp now) {
  const ApiKey& key = record.api_key;
  refuse_revoked(key);
  if (!key.is_active) {
    throw Conflict("the key is suspended; resume it before it is rotated");
  }
  if (key.expires_at && *key.expires_at <= now) {
    throw Conflict("the key has expired; create another one");
  }
  Rotation rotation{.old_key = key, .successor = key};
  const Timestamp end = now + rotation_overlap;
  rotation.old_key.expires_at = std::min(end, key.expires_at.value_or(end));
  rotation.successor.created_at = now;
  rotation.successor.last_used = std::nullopt;
  rotation.successor.expires_at = std::nullopt;
  if (record.lifetime) {
    const Timestamp expires_at = now + std::chrono::microseconds(*record.lifetime);
    check_instant("expires_at", expires_at);
    rotation.successor.expires_at = expires_at;
  }
  return rotation;
}

std::string described(const ApiKey& key) {
  return Json{{"name", key.name},
              {"prefix", key.prefix},
              {"last_four", key.last_four},
              {"permissions", key.permissions},
              {"is_active", key.is_active},
              {"expires_at", as_json(key.expires_at)},
              {"revoked_at", as_json(key.revoked_at)}}
      .dump();
}

}  // namespace accounting::domain
