// Columns: the column lists that rows.hpp reads, and their types. Each list stands once.
#pragma once

#include "sql/statement.hpp"

#include <vector>

// Macros, because a statement's text is put together from string literals at compile time.
#define ACCOUNTING_ACCOUNT_COLUMNS \
  "user_id, email, username, role, INSTANT_OF(created_at), INSTANT_OF(updated_at)"
#define ACCOUNTING_COUNTER_COLUMNS                                              \
  "last_allocation_id, last_usage_id, last_entry_sequence, allocated_credits, " \
  "used_credits, last_entry_hash"
#define ACCOUNTING_ALLOCATION_COLUMNS                                               \
  "id, user_id, total_credits, remaining_credits, held_credits, consumed_credits, " \
  "revoked_credits, moved_credits, allocated_by, INSTANT_OF(allocated_at), "        \
  "INSTANT_OF(effective_at), INSTANT_OF(expires_at), notes, INSTANT_OF(revoked_at), revoked_by"
#define ACCOUNTING_ALLOCATION_STATE_COLUMNS                                          \
  "id, INSTANT_OF(allocated_at), INSTANT_OF(effective_at), INSTANT_OF(expires_at), " \
  "remaining_credits, INSTANT_OF(revoked_at)"
#define ACCOUNTING_SESSION_COLUMNS                                                           \
  "user_id, session_id, model_id, estimated_credits, allocated_credits, used_credits, "      \
  "status, INSTANT_OF(started_at), INSTANT_OF(completed_at), INSTANT_OF(last_activity_at), " \
  "INSTANT_OF(expires_at), JSON_TEXT(first_tokens), JSON_TEXT(estimated_tokens), "           \
  "JSON_TEXT(reported_tokens), JSON_TEXT(ended_tokens), JSON_TEXT(prices), "                 \
  "JSON_TEXT(policy), usage_id, refund, overage, uncollected"
#define ACCOUNTING_USAGE_COLUMNS                                                         \
  "id, user_id, INSTANT_OF(timestamp), service, operation, credits, collected_credits, " \
  "JSON_TEXT(metadata)"
#define ACCOUNTING_ENTRY_COLUMNS                                                          \
  "sequence, user_id, allocation_id, kind, credits, held_credits, session_id, usage_id, " \
  "actor, INSTANT_OF(created_at), hash"
#define ACCOUNTING_KEY_COLUMNS \
  "idempotency_key, operation, fingerprint, JSON_TEXT(answer), INSTANT_OF(created_at)"
#define ACCOUNTING_API_KEY_COLUMNS                                                              \
  "key_hash, id, user_id, name, prefix, last_four, WORDS_TEXT(permissions), "                   \
  "FLAG_OF(is_active), INSTANT_OF(created_at), INSTANT_OF(expires_at), INSTANT_OF(last_used), " \
  "INSTANT_OF(revoked_at), INSTANT_OF(deleted_at), lifetime"
#define ACCOUNTING_AUDIT_COLUMNS \
  "user_id, id, actor, operation, subject, JSON_TEXT(details), INSTANT_OF(created_at)"
#define ACCOUNTING_RULE_COLUMNS                                                    \
  "id, model_id, NUMERIC_TEXT(price_per_1k_tokens), NUMERIC_TEXT(input), "         \
  "NUMERIC_TEXT(output), NUMERIC_TEXT(cached_input), INSTANT_OF(effective_from), " \
  "INSTANT_OF(effective_to), created_by"

namespace accounting::sql::columns {

using enum Type;

inline const std::vector<Type> account{text, text, text, text, instant, instant};
inline const std::vector<Type> counters{integer, integer, integer, integer, integer, text};
inline const std::vector<Type> allocation{integer, text,    integer, integer, integer,
                                          integer, integer, integer, text,    instant,
                                          instant, instant, text,    instant, text};
inline const std::vector<Type> allocation_state{integer, instant, instant,
                                                instant, integer, instant};
inline const std::vector<Type> session{
    text, text, text, integer, integer, integer, text,    instant, instant, instant, instant,
    text, text, text, text,    text,    text,    integer, integer, integer, integer};
inline const std::vector<Type> usage{integer, text, instant, text, text, integer, integer, text};
inline const std::vector<Type> entry{integer, text,    integer, text,    integer, integer,
                                     text,    integer, text,    instant, text};
inline const std::vector<Type> key{text, text, text, text, instant};
inline const std::vector<Type> api_key{text,    integer, text,    text,    text,
                                       text,    text,    integer, instant, instant,
                                       instant, instant, instant, integer};
inline const std::vector<Type> audit{text, integer, text, text, text, text, instant};
inline const std::vector<Type> rule{integer, text, text, text, text, text, instant, instant, text};

}  // namespace accounting::sql::columns
