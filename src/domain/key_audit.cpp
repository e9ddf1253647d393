#include "domain/key_audit.hpp"

#include "domain/journal_replay.hpp"
#include "domain/wrapping.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

namespace accounting::domain {
namespace {

using Json = nlohmann::json;

/// What keeps an answer from being one of its operation.
class WrongAnswer : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

void require(bool holds, const std::string& otherwise) {
  if (!holds) {
    throw WrongAnswer(otherwise);
  }
}

/// A member of an answer that is a whole number.
std::int64_t number(const Json& answer, const char* member) {
  const auto found = answer.find(member);
  require(found != answer.end() && found->is_number_integer(),
          std::string("has no number as ") + member);
  return found->get<std::int64_t>();
}

Timestamp instant(const Json& answer, const char* member) {
  return Timestamp(std::chrono::microseconds(number(answer, member)));
}

/// "answers with usage_id 7"
std::string answers_with(const char* member, std::int64_t id) {
  return std::string("answers with ") + member + " " + std::to_string(id);
}

class KeyAuditor {
 public:
  KeyAuditor(const AccountRows& rows, const RowIndex& index) : rows_(rows), index_(index) {}

  std::vector<std::string> audit() {
    for (const KeyRecord& key : rows_.keys) {
      // The key itself is the caller's, and the same request may stand under several.
      row_ = "idempotency_keys: the key of " + key.operation + " with fingerprint " +
             key.fingerprint.substr(0, 12) + " ";
      const Json answer = Json::parse(key.answer, nullptr, false);
      if (!answer.is_object()) {
        problems_.push_back(row_ + "has an answer that is no JSON object");
        continue;
      }
      check_effects(answer);
      try {
        check_answer(key, answer);
      } catch (const WrongAnswer& wrong) {
        problems_.push_back(row_ + wrong.what());
      }
    }
    return std::move(problems_);
  }

 private:
  /// No two keys stand for one effect.
  void check_effects(const Json& answer) {
    for (const char* member : {"allocation_id", "usage_id", "entry"}) {
      const auto found = answer.find(member);
      if (found != answer.end() && found->is_number_integer()) {
        const auto id = found->get<std::int64_t>();
        if (!effects_.emplace(member, id).second) {
          problems_.push_back(row_ + answers_with(member, id) + ", as another does");
        }
      }
    }
  }

  void check_answer(const KeyRecord& key, const Json& answer) const {
    if (key.operation == "allocate") {
      check_allocation(key, answer);
    } else if (key.operation == "deduct") {
      check_slices(key, answer, EntryKind::deduct, std::nullopt);
    } else if (key.operation == "charge") {
      const UsageRecord& usage = check_usage(key, answer);
      check_slices(key, answer, EntryKind::charge, usage.id);
    } else if (key.operation == "record") {
      const UsageRecord& usage = check_usage(key, answer);
      require(usage.collected_credits == 0,
              answers_with("usage_id", usage.id) + ", which was paid for");
    } else if (key.operation == "extend") {
      check_extension(key, answer);
    } else {
      throw WrongAnswer("stands for an operation that takes no key");
    }
  }

  void check_allocation(const KeyRecord& key, const Json& answer) const {
    const std::int64_t id = number(answer, "allocation_id");
    const std::string answers = answers_with("allocation_id", id);
    const CreditAllocation* allocation = index_.allocation(id);
    require(allocation != nullptr, answers + ", which is not there");
    const auto expires_at = answer.find("expires_at");
    require(expires_at != answer.end(), "has no expires_at");
    const bool same =
        instant(answer, "allocated_at") == allocation->allocated_at &&
        instant(answer, "effective_at") == allocation->effective_at &&
        expires_at->is_null() != allocation->expires_at.has_value() &&
        (expires_at->is_null() || instant(answer, "expires_at") == *allocation->expires_at) &&
        key.created_at == allocation->allocated_at;
    require(same, answers + ", which was made or lasts at other instants");
    const CreditEntry& entry = entry_of(answer);
    require(entry.kind == EntryKind::allocate && entry.allocation_id == id && !entry.session_id,
            answers_with("entry", entry.sequence) + ", which did not make the allocation");
  }

  const UsageRecord& check_usage(const KeyRecord& key, const Json& answer) const {
    const std::int64_t id = number(answer, "usage_id");
    const std::string answers = answers_with("usage_id", id);
    const UsageRecord* usage = index_.usage_record(id);
    require(usage != nullptr, answers + ", which is not there");
    const bool same =
        usage->timestamp == instant(answer, "timestamp") && usage->timestamp == key.created_at;
    require(same, answers + ", which is of another instant");
    return *usage;
  }

  /// What a deduction or charge took is what its last entries took.
  void check_slices(const KeyRecord& key, const Json& answer, EntryKind kind,
                    std::optional<std::int64_t> usage_id) const {
    const auto slices = answer.find("slices");
    require(slices != answer.end() && slices->is_array(), "has no slices");
    if (slices->empty()) {
      require(!answer.contains("entry"), "names an entry and took nothing");
      return;
    }
    const std::int64_t last = entry_of(answer).sequence;
    const std::string answers = answers_with("entry", last);
    std::int64_t sequence = wrapping_subtract(last, static_cast<std::int64_t>(slices->size()));
    for (const Json& slice : *slices) {
      sequence = wrapping_add(sequence, 1);
      const CreditEntry* entry = index_.entry(sequence);
      const bool same = entry != nullptr && entry->kind == kind && entry->usage_id == usage_id &&
                        entry->created_at == key.created_at &&
                        slice == Json{entry->allocation_id, amount_of(*entry).value_or(-1)};
      require(same, answers + ", and its slices are not what sequence " + std::to_string(sequence) +
                        " took");
    }
  }

  /// An extension may have cost nothing; then no entry tells which session it was.
  void check_extension(const KeyRecord& key, const Json& answer) const {
    const Timestamp started_at = instant(answer, "started_at");
    const auto model = answer.find("model_id");
    require(model != answer.end() && model->is_string(), "has no model_id");
    if (!answer.contains("entry")) {
      return;
    }
    const CreditEntry& entry = entry_of(answer);
    const SessionRecord* session = entry.session_id ? index_.session(*entry.session_id) : nullptr;
    const bool same = entry.kind == EntryKind::hold && entry.created_at == key.created_at &&
                      session != nullptr && session->session.started_at == started_at &&
                      session->session.model_id == *model;
    require(same, answers_with("entry", entry.sequence) +
                      ", which did not extend a session like its own");
  }

  const CreditEntry& entry_of(const Json& answer) const {
    const std::int64_t sequence = number(answer, "entry");
    const CreditEntry* entry = index_.entry(sequence);
    require(entry != nullptr, answers_with("entry", sequence) + ", which is not there");
    return *entry;
  }

  const AccountRows& rows_;
  const RowIndex& index_;
  std::set<std::pair<std::string, std::int64_t>> effects_;
  std::string row_;
  std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> audit_keys(const AccountRows& rows, const RowIndex& index) {
  return KeyAuditor(rows, index).audit();
}

}  // namespace accounting::domain
