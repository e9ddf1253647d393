// Audit trail: who changed accounts, prices and API keys. Credits have theirs in the journal, whose
// entries name the actor too.
#pragma once

#include <accounting/export.hpp>
#include <accounting/types.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace accounting {

namespace services {
class Context;
}

/// One change, never changed itself.
struct AuditEntry {
  std::string user_id;    ///< whose account or key; empty for prices
  std::int64_t id = 0;    ///< counts from 1 within the user_id
  std::string actor;      ///< "host", "principal:<user_id>" or "key:<key_id>:<user_id>"
  std::string operation;  ///< for example "api_keys.revoke"
  std::string subject;    ///< what was changed: a user_id, a key's id or a model_id
  std::string details;    ///< what it is now, as a JSON object; never a secret
  Timestamp created_at;

  friend bool operator==(const AuditEntry&, const AuditEntry&) = default;
};

struct ListAuditRequest {
  /// Of one account and its keys; empty: of prices; none: of everything.
  std::optional<std::string> user_id = std::nullopt;
  std::optional<std::string> actor = std::nullopt;  ///< 1 … 74 bytes; none: of everybody
  std::int64_t page = 1;                            ///< ≥ 1
  std::int64_t limit = 100;                         ///< 1 … 1,000
};

/// The audit trail. Thread-safe; a cheap handle that may be copied and that keeps the books open.
class ACCOUNTING_EXPORT Audit {
 public:
  explicit Audit(std::shared_ptr<const services::Context> context);

  /// The entries, newest first; those of one account in the order of their changes. A page past the
  /// end has no items. Errors: InvalidArgument, StoreError.
  [[nodiscard]] Page<AuditEntry> list(const ListAuditRequest& request = {}) const;

 private:
  std::shared_ptr<const services::Context> context_;
};

}  // namespace accounting
