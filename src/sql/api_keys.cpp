// API keys: looked up by their hash alone, changed under the lock of their account.
#include "sql/collect.hpp"
#include "sql/columns.hpp"
#include "sql/rows.hpp"
#include "sql/sql_session.hpp"

namespace accounting::sql {
namespace {

using enum Type;

// Whatever may refuse a key is asked in the one statement, so that no moment lies between.
const Statement find_valid_key{
    .name = "find_valid_key",
    .text = "SELECT " ACCOUNTING_API_KEY_COLUMNS
            " FROM api_keys WHERE key_hash = :key_hash AND FLAG_OF(is_active) = 1 "
            "AND revoked_at IS NULL AND deleted_at IS NULL "
            "AND (expires_at IS NULL OR expires_at > INSTANT(:now))",
    .parameters = {{"key_hash", text}, {"now", instant}},
    .columns = columns::api_key};

const Statement list_api_keys{.name = "list_api_keys",
                              .text = "SELECT " ACCOUNTING_API_KEY_COLUMNS
                                      " FROM api_keys WHERE user_id = :user_id "
                                      "AND deleted_at IS NULL ORDER BY id",
                              .parameters = {{"user_id", text}},
                              .columns = columns::api_key};

const Statement find_api_key{.name = "find_api_key",
                             .text = "SELECT " ACCOUNTING_API_KEY_COLUMNS
                                     " FROM api_keys WHERE user_id = :user_id AND id = :id",
                             .parameters = {{"user_id", text}, {"id", integer}},
                             .columns = columns::api_key};

// The account's lock keeps the number from being taken twice.
const Statement next_api_key_id{
    .name = "next_api_key_id",
    .text = "SELECT coalesce(max(id), 0) + 1 FROM api_keys WHERE user_id = :user_id",
    .parameters = {{"user_id", text}},
    .columns = {integer}};

const Statement insert_api_key_row{
    .name = "insert_api_key_row",
    .text =
        "INSERT INTO api_keys (key_hash, user_id, id, name, prefix, last_four, permissions, "
        "created_at, expires_at, lifetime) VALUES (:key_hash, :user_id, :id, :name, :prefix, "
        ":last_four, WORDS(:permissions), INSTANT(:created_at), INSTANT(:expires_at), :lifetime)",
    .parameters = {{"key_hash", text},
                   {"user_id", text},
                   {"id", integer},
                   {"name", text},
                   {"prefix", text},
                   {"last_four", text},
                   {"permissions", text},
                   {"created_at", instant},
                   {"expires_at", instant},
                   {"lifetime", integer}}};

const Statement update_api_key_row{
    .name = "update_api_key_row",
    .text =
        "UPDATE api_keys SET name = :name, permissions = WORDS(:permissions), "
        "is_active = FLAG(:is_active), expires_at = INSTANT(:expires_at), "
        "revoked_at = INSTANT(:revoked_at), deleted_at = INSTANT(:deleted_at) "
        "WHERE user_id = :user_id AND id = :id",
    .parameters = {{"user_id", text},
                   {"id", integer},
                   {"name", text},
                   {"permissions", text},
                   {"is_active", integer},
                   {"expires_at", instant},
                   {"revoked_at", instant},
                   {"deleted_at", instant}},
    .touches_one_row = true};

const Statement touch_api_key_row{
    .name = "touch_api_key_row",
    .text =
        "UPDATE api_keys SET last_used = INSTANT(:now) WHERE key_hash IN ("
        "SELECT key_hash FROM api_keys WHERE key_hash = :key_hash "
        "AND (last_used IS NULL OR last_used <= INSTANT(:before)) LOCK_ROW_IF_FREE)",
    .parameters = {{"key_hash", text}, {"now", instant}, {"before", instant}}};

}  // namespace

std::optional<domain::ApiKeyRecord> SqlSession::valid_api_key(const std::string& key_hash,
                                                              Timestamp now) {
  std::vector<domain::ApiKeyRecord> found;
  Batch batch;
  batch.add(find_valid_key, {key_hash, now}, append_to(found, read_api_key));
  run(batch);
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

std::optional<std::vector<ApiKey>> SqlSession::api_keys(const std::string& user_id) {
  std::vector<ApiKey> keys;
  Batch batch;
  batch.add(list_api_keys, {user_id},
            append_to(keys, [](const Row& row) { return read_api_key(row).api_key; }));
  return account_exists(batch, user_id) ? std::optional(std::move(keys)) : std::nullopt;
}

std::optional<domain::ApiKeyRecord> SqlSession::api_key(const std::string& user_id,
                                                        std::int64_t key_id) {
  std::vector<domain::ApiKeyRecord> found;
  Batch batch;
  batch.add(find_api_key, {user_id, key_id}, append_to(found, read_api_key));
  run(batch);
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

std::int64_t SqlSession::next_api_key(const std::string& user_id) {
  std::int64_t id = 0;
  Batch batch;
  batch.add(next_api_key_id, {user_id}, assign_integer(id));
  run(batch);
  return id;
}

void SqlSession::insert_api_key(const domain::ApiKeyRecord& record) {
  const ApiKey& key = record.api_key;
  Batch batch;
  batch.add(insert_api_key_row, {record.key_hash, key.user_id, key.id, key.name, key.prefix,
                                 key.last_four, words_value(key.permissions), key.created_at,
                                 optional_value(key.expires_at), optional_value(record.lifetime)});
  run(batch);
}

void SqlSession::update_api_key(const domain::ApiKeyRecord& record) {
  const ApiKey& key = record.api_key;
  Batch batch;
  batch.add(update_api_key_row,
            {key.user_id, key.id, key.name, words_value(key.permissions),
             std::int64_t{key.is_active ? 1 : 0}, optional_value(key.expires_at),
             optional_value(key.revoked_at), optional_value(record.deleted_at)});
  run(batch);
}

void SqlSession::touch_api_key(const std::string& key_hash, Timestamp now, Timestamp before) {
  Batch batch;
  batch.add(touch_api_key_row, {key_hash, now, before});
  run(batch);
}

}  // namespace accounting::sql
