#include "accounting/api_keys.hpp"

#include "crypto/api_key.hpp"
#include "domain/api_keys.hpp"
#include "domain/validation.hpp"
#include "services/attempts.hpp"
#include "services/audit.hpp"
#include "services/permits.hpp"
#include "services/requests.hpp"

#include <utility>

namespace accounting {
namespace {

using domain::ApiKeyRecord;
using domain::Operation;
using services::AfterUnknownCommit;
using services::Context;

UserAccount lock_owner(store::Unit& unit, const std::string& user_id) {
  return services::or_no_account(unit.lock_account(user_id));
}

/// The key, under the lock of its account. A deleted one is not there.
ApiKeyRecord lock_key(store::Unit& unit, const std::string& user_id, std::int64_t key_id) {
  lock_owner(unit, user_id);
  std::optional<ApiKeyRecord> record = unit.api_key(user_id, key_id);
  if (!record || record->deleted_at) {
    throw NotFound("the account has no API key with that key_id");
  }
  return std::move(*record);
}

void note(const Context& context, store::Unit& unit, Operation operation, const ApiKey& key,
          Timestamp now) {
  services::append_audit(context, unit, operation,
                         {.user_id = key.user_id,
                          .subject = std::to_string(key.id),
                          .details = domain::described(key),
                          .created_at = now});
}

/// Gives a key its number and its secret, and stores it.
IssuedApiKey issue(const Context& context, store::Unit& unit, ApiKey key, std::string secret) {
  const Options& options = context.books().options();
  key.id = unit.next_api_key(key.user_id);
  key.prefix = options.api_key_prefix;
  key.last_four = secret.substr(secret.size() - 4);
  unit.insert_api_key({.api_key = key,
                       .key_hash = crypto::api_key_hash(secret, options.api_key_pepper),
                       .deleted_at = std::nullopt});
  return {.key = std::move(secret), .api_key = std::move(key)};
}

/// Changes one key; `change` answers what becomes of it.
template <class Change>
ApiKey change_key(const Context& context, Operation operation, const std::string& user_id,
                  std::int64_t key_id, Change change) {
  return services::write(context, AfterUnknownCommit::try_again,
                         [&](store::Unit& unit, Timestamp now) {
                           ApiKeyRecord record = lock_key(unit, user_id, key_id);
                           const ApiKeyRecord before = record;
                           change(record, now);
                           if (record != before) {
                             unit.update_api_key(record);
                             note(context, unit, operation, record.api_key, now);
                           }
                           return record.api_key;
                         });
}

/// The request for one key, permitted and checked.
ApiKeyRequest checked(const Context& context, Operation operation, const ApiKeyRequest& given) {
  ApiKeyRequest request = services::permitted(context, operation, given);
  domain::check_key_id(request.key_id);
  domain::check_user_id(request.user_id);
  return request;
}

/// A key may not make itself, or another one, more than it is.
void check_handed_on(const Context& context, const std::vector<std::string>& permissions) {
  if (context.caller()) {
    domain::check_handed_on(*context.caller(), permissions);
  }
}

/// Notes that the key was used, at most once a minute and apart from every other transaction.
/// What hinders it must not hinder the use.
void note_use(const Context& context, const ApiKeyRecord& record, Timestamp now) {
  const Timestamp before = now - domain::last_used_interval;
  if (context.transaction() != nullptr ||
      (record.api_key.last_used && *record.api_key.last_used > before)) {
    return;
  }
  try {
    services::write(context, AfterUnknownCommit::give_up, [&](store::Unit& unit, Timestamp) {
      unit.touch_api_key(record.key_hash, now, before);
      return true;
    });
  } catch (const AccountingError&) {
    context.books().log(LogLevel::warning, "the use of an API key could not be noted");
  }
}

}  // namespace

ApiKeys::ApiKeys(std::shared_ptr<const Context> context) : context_(std::move(context)) {}

IssuedApiKey ApiKeys::create(const CreateApiKeyRequest& given) {
  const CreateApiKeyRequest request = services::permitted(*context_, Operation::create_key, given);
  domain::check_user_id(request.user_id);
  domain::check_name("name", request.name, 100);
  const std::vector<std::string> permissions = domain::checked_permissions(request.permissions);
  if (request.expiry_days) {
    domain::check_range("expiry_days", *request.expiry_days, 1, domain::largest_days);
  }
  check_handed_on(*context_, permissions);
  return services::write(
      *context_, AfterUnknownCommit::give_up, [&](store::Unit& unit, Timestamp now) {
        lock_owner(unit, request.user_id);
        ApiKey key{.user_id = request.user_id,
                   .name = request.name,
                   .permissions = permissions,
                   .created_at = now};
        if (request.expiry_days) {
          key.expires_at = now + std::chrono::days(*request.expiry_days);
          domain::check_instant("expiry_days", key.expires_at);
        }
        IssuedApiKey issued =
            issue(*context_, unit, std::move(key),
                  crypto::new_api_key(context_->books().options().api_key_prefix));
        note(*context_, unit, Operation::create_key, issued.api_key, now);
        return issued;
      });
}

std::vector<ApiKey> ApiKeys::list(const ListApiKeysRequest& given) const {
  const ListApiKeysRequest request = services::permitted(*context_, Operation::list_keys, given);
  domain::check_user_id(request.user_id);
  return services::or_no_account(services::query(
      *context_, [&](store::Reads& reads) { return reads.api_keys(request.user_id); }));
}

ApiKey ApiKeys::update(const UpdateApiKeyRequest& given) {
  UpdateApiKeyRequest request = services::permitted(*context_, Operation::update_key, given);
  domain::check_key_id(request.key_id);
  domain::check_user_id(request.user_id);
  if (request.name) {
    domain::check_name("name", *request.name, 100);
  }
  if (request.permissions) {
    request.permissions = domain::checked_permissions(*request.permissions);
    check_handed_on(*context_, *request.permissions);
  }
  return change_key(*context_, Operation::update_key, request.user_id, request.key_id,
                    [&](ApiKeyRecord& record, Timestamp) {
                      record.api_key = domain::updated(std::move(record.api_key), request);
                    });
}

ApiKey ApiKeys::revoke(const ApiKeyRequest& given) {
  const ApiKeyRequest request = checked(*context_, Operation::revoke_key, given);
  return change_key(*context_, Operation::revoke_key, request.user_id, request.key_id,
                    [](ApiKeyRecord& record, Timestamp now) {
                      record.api_key = domain::revoked(std::move(record.api_key), now);
                    });
}

IssuedApiKey ApiKeys::rotate(const ApiKeyRequest& given) {
  const ApiKeyRequest request = checked(*context_, Operation::rotate_key, given);
  return services::write(
      *context_, AfterUnknownCommit::give_up, [&](store::Unit& unit, Timestamp now) {
        ApiKeyRecord record = lock_key(unit, request.user_id, request.key_id);
        check_handed_on(*context_, record.api_key.permissions);
        domain::Rotation rotation = domain::rotated(record.api_key, now);
        record.api_key = std::move(rotation.old_key);
        unit.update_api_key(record);
        note(*context_, unit, Operation::rotate_key, record.api_key, now);
        IssuedApiKey issued =
            issue(*context_, unit, std::move(rotation.successor),
                  crypto::new_api_key(context_->books().options().api_key_prefix));
        note(*context_, unit, Operation::create_key, issued.api_key, now);
        return issued;
      });
}

void ApiKeys::remove(const ApiKeyRequest& given) {
  const ApiKeyRequest request = checked(*context_, Operation::delete_key, given);
  services::write(*context_, AfterUnknownCommit::try_again, [&](store::Unit& unit, Timestamp now) {
    lock_owner(unit, request.user_id);
    auto record = unit.api_key(request.user_id, request.key_id);
    if (!record) {
      throw NotFound("the account has no API key with that key_id");
    }
    if (!record->deleted_at) {
      record->api_key = domain::revoked(std::move(record->api_key), now);
      record->deleted_at = now;
      unit.update_api_key(*record);
      note(*context_, unit, Operation::delete_key, record->api_key, now);
    }
    return true;
  });
}

KeyIdentity ApiKeys::validate(std::string_view key) const {
  services::permit(*context_, Operation::validate_key);
  const Options& options = context_->books().options();
  if (!crypto::is_api_key(key, options.api_key_prefix)) {
    throw InvalidApiKey();
  }
  const std::string hash = crypto::api_key_hash(key, options.api_key_pepper);
  const Timestamp now = context_->now();
  const std::optional<ApiKeyRecord> record = services::query(
      *context_, [&](store::Reads& reads) { return reads.valid_api_key(hash, now); });
  if (!record || !crypto::same_hash(record->key_hash, hash)) {
    throw InvalidApiKey();
  }
  note_use(*context_, *record, now);
  return {.user_id = record->api_key.user_id,
          .permissions = record->api_key.permissions,
          .key_id = record->api_key.id};
}

}  // namespace accounting
