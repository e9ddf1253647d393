// The judge of the journal and of keys: what `verify` says where entries are lost, moved or turned
// around, or where a key answers with what it did not do (I4, I5).
#include "fault/judge.hpp"

namespace accounting::testing {
namespace {

/// Takes an entry out and closes the gap, the account's counter included.
std::string lose_entry(int sequence) {
  const std::string lost = std::to_string(sequence);
  // By way of negative numbers, because each row on its own must not meet another.
  return "DELETE FROM credit_entries WHERE {ada} AND sequence = " + lost +
         "; UPDATE credit_entries SET sequence = -sequence WHERE {ada} AND sequence > " + lost +
         "; UPDATE credit_entries SET sequence = -sequence - 1 WHERE {ada} AND sequence < 0; "
         "UPDATE user_accounts SET last_entry_sequence = 56 WHERE {ada}";
}

std::string exchange_entries(int one, int other) {
  const std::string sum = std::to_string(one + other);
  return "UPDATE credit_entries SET sequence = -sequence WHERE {ada} AND sequence IN (" +
         std::to_string(one) + ", " + std::to_string(other) +
         "); UPDATE credit_entries SET sequence = " + sum +
         " + sequence WHERE {ada} AND sequence < 0";
}

std::string answer(const std::string& key, const std::string& text) {
  return "UPDATE idempotency_keys SET answer = '" + text + "' WHERE {ada} AND idempotency_key = '" +
         key + "'";
}

}  // namespace

TEST_SUITE("judge") {
  TEST_CASE("I4: entries lost, doubled or out of order") {
    judge_each({
        {"an entry lost", "DELETE FROM credit_entries WHERE {ada} AND sequence = 22", "I4",
         "credit_entries: after sequence 21 comes 23"},
        {"the first entry lost", "DELETE FROM credit_entries WHERE {ada} AND sequence = 1", "I4",
         "credit_entries: after sequence 0 comes 2"},
        {"the last entry lost", "DELETE FROM credit_entries WHERE {ada} AND sequence = 57", "I4",
         "user_accounts: last_entry_sequence is 57, expected 56"},
        {"an entry lost, and the rest renumbered", lose_entry(22), "I1",
         "allocation 1: consumed_credits is 952, expected 948"},
        {"the first entry lost, and the rest renumbered", lose_entry(1), "I4",
         "the entry with sequence 1 (allocate) makes allocation 2 after allocation 0"},
        {"the last entry lost, and the counter too", lose_entry(57), "I2",
         "usage_records: record 16: collected_credits is 8, expected 0"},
        {"two takes of one charge exchanged", exchange_entries(7, 8), "I4",
         "sequence 7 (charge) takes from allocation 5 although allocation 2 comes first"},
        {"two allocations made in the other order", exchange_entries(54, 55), "I4",
         "sequence 54 (allocate) makes allocation 10 after allocation 8"},
        {"settled before it was held", exchange_entries(10, 14), "I4",
         "sequence 10 (settle) takes more from allocation 4 than was there"},
        {"the last slice paid first", exchange_entries(16, 17), "I3",
         "session spread: its hold was not split first taken, first paid"},
        {"two charges in the other order", exchange_entries(8, 9), "I4",
         "sequence 9 (charge) names usage record 1 after one of usage record 2"},
        {"taken from another allocation, all sums and the answer kept",
         "UPDATE credit_entries SET allocation_id = 10 WHERE {ada} AND sequence = 57; "
         "UPDATE credit_allocations SET remaining_credits = 97, consumed_credits = 3 "
         "WHERE {ada} AND id = 9; "
         "UPDATE credit_allocations SET remaining_credits = 52, consumed_credits = 8 "
         "WHERE {ada} AND id = 10; " +
             answer("c-3",
                    R"({"entry":57,"slices":[[10,8]],"timestamp":1767582092000000,"usage_id":16})"),
         "I4", "sequence 57 (charge) takes from allocation 10 although allocation 9 comes first"},
        {"two slices of a charge exchanged, all sums and the answer kept",
         "UPDATE credit_entries SET credits = CASE sequence WHEN 7 THEN -59 ELSE -16 END "
         "WHERE {ada} AND sequence IN (7, 8); "
         "UPDATE credit_allocations SET remaining_credits = 6, consumed_credits = 64 "
         "WHERE {ada} AND id = 2; "
         "UPDATE credit_allocations SET remaining_credits = 1, consumed_credits = 19 "
         "WHERE {ada} AND id = 5; " +
             answer("c-1", R"({"entry":8,"slices":[[2,59],[5,16]],"timestamp":1767225600000000,)"
                           R"("usage_id":1})"),
         "I4", "sequence 8 (charge) takes from allocation 5 although allocation 2 comes first"},
        {"the counter of entries", "UPDATE user_accounts SET last_entry_sequence = 58 WHERE {ada}",
         "I4", "user_accounts: last_entry_sequence is 58, expected 57"},
    });
  }

  TEST_CASE("I4: entries at another time, or of another thing") {
    judge_each({
        {"moved past the expiry",
         "UPDATE credit_entries SET created_at = created_at + {day} "
         "WHERE {ada} AND sequence = 6",
         "I4", "sequence 6 (deduct) takes from allocation 2, which had expired"},
        {"taken before it was effective",
         "UPDATE credit_allocations SET effective_at = effective_at + {day} "
         "WHERE {ada} AND id = 9",
         "I4", "sequence 56 (deduct) takes from allocation 9, which was not effective yet"},
        {"another expiry, and another burn order",
         "UPDATE credit_allocations SET expires_at = expires_at - 6 * {day} "
         "WHERE {ada} AND id = 10",
         "I4", "sequence 56 (deduct) takes from allocation 9 although allocation 10 comes first"},
        {"a charge at another instant than its record",
         "UPDATE credit_entries SET created_at = created_at + {tick} "
         "WHERE {ada} AND sequence = 9",
         "I4", "sequence 9 (charge) is not of the same instant as usage record 2"},
        {"an allocation made at another instant",
         "UPDATE credit_allocations SET allocated_at = allocated_at - {tick} "
         "WHERE {ada} AND id = 10",
         "I4", "sequence 55 (allocate) is not of the instant allocated_at of allocation 10"},
        {"a revocation at another instant",
         "UPDATE credit_allocations SET revoked_at = revoked_at + {day} WHERE {ada} AND id = 8",
         "I4", "sequence 45 (revoke) is not of the instant revoked_at of allocation 8"},
        {"an allocation that is not there",
         "UPDATE credit_entries SET allocation_id = 99 WHERE {ada} AND sequence = 56", "I4",
         "sequence 56 (deduct) names allocation 99, which is not there"},
        {"a record that is not there",
         "UPDATE credit_entries SET usage_id = 99 WHERE {ada} AND sequence = 57", "I4",
         "sequence 57 (charge) names usage record 99, which is not there"},
        {"a refund that names another record",
         "UPDATE credit_entries SET usage_id = 6 WHERE {ada} AND sequence = 15", "I4",
         "sequence 15 (refund) names another usage record than session refunded ended with"},
        {"a deduction of a session",
         "UPDATE credit_entries SET session_id = 'over' WHERE {ada} AND sequence = 56", "I4",
         "sequence 56 (deduct) names a session or usage record, or lacks one"},
        {"numbers that do not fit the kind",
         "UPDATE credit_entries SET held_credits = 3 WHERE {ada} AND sequence = 56", "I4",
         "sequence 56 (deduct) has numbers that do not fit its kind"},
        {"a number that has no opposite",
         "UPDATE credit_entries SET credits = -9223372036854775807 - 1 "
         "WHERE {ada} AND sequence = 56",
         "I4", "sequence 56 (deduct) has numbers that do not fit its kind"},
        {"a kind that there is none",
         "UPDATE credit_entries SET kind = 'gift' WHERE {ada} AND sequence = 22", "I4",
         "credit_entries: row 22 cannot be read"},
    });
  }

  TEST_CASE("I5: keys that answer with what they did not do") {
    judge_each({
        {"another's entry, with its slices", answer("d-1", R"({"entry":22,"slices":[[1,4]]})"),
         "I5", "the key of deduct with fingerprint | answers with entry 22, as another does"},
        {"an entry that no key asked for", answer("d-1", R"({"entry":56,"slices":[[9,3]]})"), "I5",
         "the key of deduct with fingerprint | answers with entry 56"},
        {"an entry that is not there", answer("d-1", R"({"entry":99,"slices":[[2,5]]})"), "I5",
         "answers with entry 99, which is not there"},
        {"slices that were not taken",
         answer(
             "c-1",
             R"({"entry":8,"slices":[[2,64],[5,11]],"timestamp":1767225600000000,"usage_id":1})"),
         "I5", "answers with entry 8, and its slices are not what sequence 7 took"},
        {"two keys with one effect",
         copy_of("idempotency_keys", "{ada} AND idempotency_key = 'c-3'",
                 "idempotency_key = 'c-4'"),
         "I5", "the key of charge with fingerprint | answers with usage_id 16, as another does"},
        {"a use of another instant", answer("r-1", R"({"timestamp":1,"usage_id":3})"), "I5",
         "the key of record with fingerprint | answers with usage_id 3, which is of another"},
        {"a use that is not there",
         answer("r-1", R"({"timestamp":1767225600000000,"usage_id":99})"), "I5",
         "answers with usage_id 99, which is not there"},
        {"a recorded use that was paid for",
         "UPDATE idempotency_keys SET operation = 'record' "
         "WHERE {ada} AND idempotency_key = 'c-3'",
         "I5", "the key of record with fingerprint | answers with usage_id 16, which was paid for"},
        {"an operation that takes no key",
         "UPDATE idempotency_keys SET operation = 'revoke' "
         "WHERE {ada} AND idempotency_key = 'c-3'",
         "I5", "the key of revoke with fingerprint | stands for an operation that takes no key"},
        {"an allocation that lasts longer than was answered",
         "UPDATE credit_allocations SET expires_at = expires_at + {tick} WHERE {ada} AND id = 1",
         "I5", "answers with allocation_id 1, which was made or lasts at other instants"},
        {"the extension of another session",
         answer("e-1", R"({"entry":50,"model_id":"m","started_at":1767495691000000})"), "I5",
         "the key of extend with fingerprint | answers with entry 50, which did not extend"},
        {"a key of another instant",
         "UPDATE idempotency_keys SET created_at = created_at + {tick} "
         "WHERE {ada} AND idempotency_key = 'd-2'",
         "I5", "answers with entry 22, and its slices are not what sequence 22 took"},
        {"an answer that is no JSON", answer("c-1", "no json"), "I5",
         "the key of charge with fingerprint | has an answer that is no JSON object"},
        {"an answer that is a list", answer("c-1", "[1]"), "I5",
         "the key of charge with fingerprint | has an answer that is no JSON object"},
        {"an answer of nothing", answer("grant", "{}"), "I5",
         "the key of allocate with fingerprint | has no number as allocation_id"},
        {"an answer of other types", answer("r-2", R"({"timestamp":"now","usage_id":"17"})"), "I5",
         "the key of record with fingerprint | has no number as usage_id"},
    });
  }
}

}  // namespace accounting::testing
