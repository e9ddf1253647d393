#include "old_charges.hpp"

#include "crypto/journal_hash.hpp"
#include "support/text.hpp"

#include <stdexcept>
#include <utility>

namespace accounting::testing {
namespace {

constexpr std::int64_t kCredits = 3;
const std::string kRecordedHash =
    "f98d649862da5838258065d9c45e61cc59db08b7bed5dcbe32bb37d4347d025a";

/// Replaces what the recording must have.
std::string marked(std::string text, const std::string& recorded, const std::string& mark) {
  if (text.find(recorded) == std::string::npos) {
    throw std::runtime_error("the recorded charge has no " + recorded);
  }
  return replaced(std::move(text), recorded, mark);
}

std::string hash_of(const std::string& before, std::int64_t sequence, std::int64_t usage_id) {
  return crypto::journal_hash(before, {.sequence = sequence,
                                       .user_id = "ada",
                                       .allocation_id = 3,
                                       .kind = EntryKind::charge,
                                       .credits = -kCredits,
                                       .usage_id = usage_id,
                                       .actor = "host",
                                       .created_at = history_end()});
}

}  // namespace

ChargeRequest old_request(int number) {
  return {.user_id = "ada",
          .service = "images",
          .operation = "old",
          .credits = kCredits,
          .idempotency_key = "old-" + std::to_string(number)};
}

OldCharges::OldCharges(const OldDatabase& old)
    : trips_(old.old_charge()), chained_(old.version() >= 3), session_(old.url()) {
  const auto number = [&](const std::string& digits) {
    return old.on_postgresql() ? "'" + digits + "'::bigint" : digits;
  };
  // It was ada's fifth usage record and her twentieth journal entry.
  const std::vector<std::pair<std::string, std::string>> marks = {
      {"last_usage_id = " + number("5") + ",", "last_usage_id = <usage>,"},
      {"last_usage_id = " + number("4") + " ", "last_usage_id = <usage before> "},
      {"last_entry_sequence = " + number("20"), "last_entry_sequence = <entry>"},
      {"last_entry_sequence = " + number("19"), "last_entry_sequence = <entry before>"},
      {"VALUES ('ada', " + number("5") + ",", "VALUES ('ada', <usage>,"},
      {"VALUES ('ada', " + number("20") + ",", "VALUES ('ada', <entry>,"},
      {"NULL, " + number("5") + ", 'host'", "NULL, <usage>, 'host'"},
      {"\"entry\":20,", "\"entry\":<entry>,"},
      {"\"usage_id\":5", "\"usage_id\":<usage>"},
      {"'old-1'", "'<key>'"}};
  trips_[0] = marked(trips_[0], "'old-1'", "'<key>'");
  for (const auto& [recorded, mark] : marks) {
    trips_[1] = marked(trips_[1], recorded, mark);
  }
  if (chained_) {
    trips_[1] = marked(trips_[1], kRecordedHash, "<hash>");
  }
  if (!old.on_postgresql()) {
    session_.run("PRAGMA busy_timeout = 10000");  // the library waited for locks, too
  }
}

std::string OldCharges::make(int number) const {
  const std::string key = *old_request(number).idempotency_key;
  const auto refused = [&](std::string refusal) {
    session_.run("ROLLBACK");
    return refusal;
  };
  if (std::string refusal = session_.run(marked(trips_[0], "<key>", key)); !refusal.empty()) {
    return refused(std::move(refusal));
  }
  const std::vector<std::string> account = session_.row(
      std::string("SELECT last_usage_id, last_entry_sequence") +
      (chained_ ? ", last_entry_hash" : "") + " FROM user_accounts WHERE user_id = 'ada'");
  const std::int64_t usage = std::stoll(account.at(0)) + 1;
  const std::int64_t entry = std::stoll(account.at(1)) + 1;
  std::string trip = marked(trips_[1], "<key>", key);
  trip = marked(trip, "<usage>", std::to_string(usage));
  trip = marked(trip, "<usage before>", std::to_string(usage - 1));
  trip = marked(trip, "<entry>", std::to_string(entry));
  trip = marked(trip, "<entry before>", std::to_string(entry - 1));
  if (chained_) {
    trip = marked(trip, "<hash>", hash_of(account.at(2), entry, usage));
  }
  std::string refusal = session_.run(trip);
  return refusal.empty() ? refusal : refused(std::move(refusal));
}

bool is_too_old(const std::string& refusal) {
  return refusal.find("credit_entries_are_chained") != std::string::npos ||
         refusal.find("carry a hash") != std::string::npos;
}

}  // namespace accounting::testing
