#include "domain/entry_audit.hpp"

#include "domain/wrapping.hpp"

#include <algorithm>
#include <utility>

namespace accounting::domain {
namespace {

/// Whether an entry names a session and a usage record exactly where entries of its kind do.
bool names_what_its_kind_names(const CreditEntry& entry) {
  const bool session = entry.session_id.has_value();
  const bool usage = entry.usage_id.has_value();
  switch (entry.kind) {
    case EntryKind::deduct:
      return !session && !usage;
    case EntryKind::charge:
      return !session && usage;
    case EntryKind::hold:
      return session && !usage;
    case EntryKind::settle:
    case EntryKind::refund:
    case EntryKind::move:
    case EntryKind::overage:
      return session && usage;
    case EntryKind::allocate:
    case EntryKind::revoke:
      return session == usage;  // both where the end of a session did it
  }
  return false;
}

class EntryAuditor {
 public:
  EntryAuditor(const AccountRows& rows, const RowIndex& index) : rows_(rows), index_(index) {}

  std::vector<std::string> audit() {
    for (const CreditEntry& entry : rows_.entries) {
      name_ = "credit_entries: " + name_of(entry);
      if (!names_what_its_kind_names(entry)) {
        report("names a session or usage record, or lacks one, against its kind");
      }
      check_usage(entry);
      check_session(entry);
      check_allocation(entry);
    }
    return std::move(problems_);
  }

 private:
  void report(const std::string& what) { problems_.push_back(name_ + what); }

  /// Usage records are numbered under the lock under which the journal is written, so both are in
  /// one order.
  void check_usage(const CreditEntry& entry) {
    if (!entry.usage_id) {
      return;
    }
    const std::string id = std::to_string(*entry.usage_id);
    const UsageRecord* usage = index_.usage_record(*entry.usage_id);
    if (usage == nullptr) {
      report("names usage record " + id + ", which is not there");
      return;
    }
    if (usage->timestamp != entry.created_at) {
      report("is not of the same instant as usage record " + id);
    }
    if (*entry.usage_id < last_usage_id_) {
      report("names usage record " + id + " after one of usage record " +
             std::to_string(last_usage_id_));
    }
    last_usage_id_ = std::max(last_usage_id_, *entry.usage_id);
  }

  void check_session(const CreditEntry& entry) {
    const SessionRecord* session = entry.session_id ? index_.session(*entry.session_id) : nullptr;
    if (session != nullptr && entry.usage_id && entry.usage_id != session->usage_id) {
      report("names another usage record than session " + *entry.session_id + " ended with");
    }
  }

  void check_allocation(const CreditEntry& entry) {
    const CreditAllocation* allocation = index_.allocation(entry.allocation_id);
    const std::string id = std::to_string(entry.allocation_id);
    if (entry.kind == EntryKind::allocate) {
      if (entry.allocation_id != wrapping_add(last_allocation_id_, 1)) {
        report("makes allocation " + id + " after allocation " +
               std::to_string(last_allocation_id_));
      }
      last_allocation_id_ = entry.allocation_id;
      if (allocation != nullptr && allocation->allocated_at != entry.created_at) {
        report("is not of the instant allocated_at of allocation " + id);
      }
    }
    const bool revoked_by_caller = entry.kind == EntryKind::revoke && !entry.session_id;
    if (revoked_by_caller && allocation != nullptr && allocation->revoked_at &&
        *allocation->revoked_at != entry.created_at) {
      report("is not of the instant revoked_at of allocation " + id);
    }
  }

  const AccountRows& rows_;
  const RowIndex& index_;
  std::int64_t last_usage_id_ = 0;
  std::int64_t last_allocation_id_ = 0;
  std::string name_;
  std::vector<std::string> problems_;
};

}  // namespace

std::string name_of(const CreditEntry& entry) {
  return "the entry with sequence " + std::to_string(entry.sequence) + " (" +
         std::string(to_string(entry.kind)) + ") ";
}

std::vector<std::string> audit_entries(const AccountRows& rows, const RowIndex& index) {
  return EntryAuditor(rows, index).audit();
}

}  // namespace accounting::domain
