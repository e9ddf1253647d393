#include "accounting/api_keys.hpp"

#include "crypto/api_key.hpp"
#include "crypto/secret.hpp"
#include "domain/api_keys.hpp"
#include "domain/validation.hpp"
#include "services/attempts.hpp"
#include "services/audit.hpp"
#include "services/permits.hpp"
#include "services/requests.hpp"

#include <algorithm>
#include <stdexcept>
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
IssuedApiKey issue(const Context& context, store::Unit& unit, ApiKey key,
                   std::optional<std::int64_t> lifetime, const std::string& secret) {
  const Options& options = context.books().options();
  key.id = unit.next_api_key(key.user_id);
  key.prefix = options.api_key_prefix;
  key.last_four = secret.substr(secret.size() - 4);
  unit.insert_api_key({.api_key = key,
                       .key_hash = crypto::api_key_hash(secret, context.books().pepper()),
                       .deleted_at = std::nullopt,
                       .lifetime = lifetime});
  return {.key = secret, .api_key = std::move(key)};
}

/// The same, and the audit trail says so.
IssuedApiKey issue_noted(const Context& context, store::Unit& unit, ApiKey key,
                         std::optional<std::int64_t> lifetime, const crypto::Secret& secret,
                         Timestamp now) {
  IssuedApiKey issued = issue(context, unit, std::move(key), lifetime, std::string(secret.bytes()));
  note(context, unit, Operation::create_key, issued.api_key, now);
  return issued;
}

/// Changes one key; `change` answers what becomes of it.
template <class Change>
ApiKey change_key(const Context& context, Operation operation, const std::string& user_id,
                  std::int64_t key_id, Change change) {
  return services::write(context, user_id, AfterUnknownCommit::try_again,
                         [&](store::Unit& unit, Timestamp now) {
                           ApiKeyRecord record = lock_key(unit, user_id, key_id);
                           const ApiKeyRecord before = record;
                           change(unit, record, now);
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

/// A new secret, before any transaction: randomness that the system does not give is no failure of
/// the database's.
std::string new_secret(const Context& context) {
  try {
    return crypto::new_api_key(context.books().options().api_key_prefix);
  } catch (const std::runtime_error& error) {
    throw StoreError(error.what());
  }
}

/// A key may not make itself, or another one, more than it is.
void check_handed_on(const Context& context, const std::vector<std::string>& permissions) {
  if (context.caller()) {
    domain::check_handed_on(*context.caller(), permissions);
  }
}

/// A key issues others only while it is good itself; answers until when. Asked under the lock of
/// its account, under which it would be revoked.
std::optional<Timestamp> end_of_caller(const Context& context, store::Unit& unit, Timestamp now) {
  if (!context.caller() || !context.caller()->key_id) {
    return std::nullopt;
  }
  const auto record = unit.api_key(context.caller()->user_id, *context.caller()->key_id);
  if (!record || !record->api_key.is_active ||
      (record->api_key.expires_at && *record->api_key.expires_at <= now)) {
    throw Forbidden("the key that asks is suspended, revoked or expired");
  }
  return record->api_key.expires_at;
}

/// A key ends others only while it is good itself, and itself as often as it likes.
void check_may_end(const Context& context, store::Unit& unit, const ApiKeyRequest& request,
                   Timestamp now) {
  const bool is_itself = context.caller() && context.caller()->key_id == request.key_id &&
                         context.caller()->user_id == request.user_id;
  if (!is_itself) {
    end_of_caller(context, unit, now);
  }
}

/// What a key issues ends with it at the latest.
void end_with(ApiKey& key, const std::optional<Timestamp>& end) {
  if (end) {
    key.expires_at = std::min(*end, key.expires_at.value_or(*end));
  }
}

/// Notes that the key was used, at most once a minute and apart from every other transaction.
/// What hinders it must neither hinder the use nor hold it up.
void note_use(const Context& context, const ApiKeyRecord& record, Timestamp now) {
  const Timestamp before = now - domain::last_used_interval;
  if (context.transaction() != nullptr ||
      (record.api_key.last_used && *record.api_key.last_used > before)) {
    return;
  }
  services::Books& books = context.books();
  const store::Deadline soon = books.pacing().now() + std::chrono::seconds(1);
  try {
    if (const std::unique_ptr<store::Unit> unit = books.store().begin_if_free(soon)) {
      unit->touch_api_key(record.key_hash, now, before);
      unit->commit();
    }
  } catch (const std::exception&) {
    books.log(LogLevel::warning, "the use of an API key could not be noted");
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
  crypto::Secret secret(new_secret(*context_));
  return services::write(
      *context_, request.user_id, AfterUnknownCommit::give_up,
      [&](store::Unit& unit, Timestamp now) {
        lock_owner(unit, request.user_id);
        const std::optional<Timestamp> end = end_of_caller(*context_, unit, now);
        ApiKey key{.user_id = request.user_id,
                   .name = request.name,
                   .permissions = permissions,
                   .created_at = now};
        std::optional<std::int64_t> lifetime;
        if (request.expiry_days) {
          const std::chrono::microseconds days = std::chrono::days(*request.expiry_days);
          lifetime = days.count();
          key.expires_at = now + days;
          domain::check_instant("expiry_days", key.expires_at);
        }
        end_with(key, end);
        return issue_noted(*context_, unit, std::move(key), lifetime, secret, now);
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
                    [&](store::Unit& unit, ApiKeyRecord& record, Timestamp now) {
                      end_of_caller(*context_, unit, now);
                      if (request.is_active.value_or(false)) {
                        check_handed_on(*context_, record.api_key.permissions);
                      }
                      record.api_key = domain::updated(std::move(record.api_key), request);
                    });
}

ApiKey ApiKeys::revoke(const ApiKeyRequest& given) {
  const ApiKeyRequest request = checked(*context_, Operation::revoke_key, given);
  return change_key(*context_, Operation::revoke_key, request.user_id, request.key_id,
                    [&](store::Unit& unit, ApiKeyRecord& record, Timestamp now) {
                      check_may_end(*context_, unit, request, now);
                      record.api_key = domain::revoked(std::move(record.api_key), now);
                    });
}

IssuedApiKey ApiKeys::rotate(const ApiKeyRequest& given) {
  const ApiKeyRequest request = checked(*context_, Operation::rotate_key, given);
  crypto::Secret secret(new_secret(*context_));
  return services::write(*context_, request.user_id, AfterUnknownCommit::give_up,
                         [&](store::Unit& unit, Timestamp now) {
                           ApiKeyRecord record = lock_key(unit, request.user_id, request.key_id);
                           const std::optional<Timestamp> end = end_of_caller(*context_, unit, now);
                           check_handed_on(*context_, record.api_key.permissions);
                           domain::Rotation rotation = domain::rotated(record, now);
                           record.api_key = std::move(rotation.old_key);
                           unit.update_api_key(record);
                           note(*context_, unit, Operation::rotate_key, record.api_key, now);
                           end_with(rotation.successor, end);
                           return issue_noted(*context_, unit, std::move(rotation.successor),
                                              record.lifetime, secret, now);
                         });
}

void ApiKeys::remove(const ApiKeyRequest& given) {
  const ApiKeyRequest request = checked(*context_, Operation::delete_key, given);
  services::write(*context_, request.user_id, AfterUnknownCommit::try_again,
                  [&](store::Unit& unit, Timestamp now) {
                    lock_owner(unit, request.user_id);
                    check_may_end(*context_, unit, request, now);
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
  const std::string hash = crypto::api_key_hash(key, context_->books().pepper());
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
