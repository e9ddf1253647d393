// The judge of credits: what `verify` says where allocations, usage records or rollups were
// changed behind the library's back (I1, I2, I6).
#include "fault/judge.hpp"

#include <algorithm>

namespace accounting::testing {

TEST_SUITE("judge") {
  TEST_CASE("I1: credits that are in no place, in two, or in another") {
    judge_each({
        {"one less remains, one more was consumed",
         "UPDATE credit_allocations SET remaining_credits = remaining_credits - 1, "
         "consumed_credits = consumed_credits + 1 WHERE {ada} AND id = 9",
         "I1", "credit_allocations: allocation 9: remaining_credits is 88, expected 89"},
        {"remaining moved between two allocations",
         "UPDATE credit_allocations SET remaining_credits = remaining_credits + id * 10 - 95, "
         "total_credits = total_credits + id * 10 - 95 WHERE {ada} AND id IN (9, 10)",
         "I1", "allocation 10: remaining_credits is 65, expected 60"},
        {"credits from nowhere, also in the account's sum",
         "UPDATE credit_allocations SET remaining_credits = remaining_credits + 1, "
         "total_credits = total_credits + 1 WHERE {ada} AND id = 5; "
         "UPDATE user_accounts SET allocated_credits = allocated_credits + 1 WHERE {ada}",
         "I1", "allocation 5: remaining_credits is 8, expected 7"},
        {"held that no session holds",
         "UPDATE credit_allocations SET held_credits = 5, remaining_credits = 55 "
         "WHERE {ada} AND id = 10",
         "I1", "allocation 10: held_credits is 5, expected 0"},
        {"held in the row and in the journal, and no session holds it",
         copy_of("credit_entries", "{ada} AND sequence = 48", "sequence = 58, allocation_id = 9") +
             "UPDATE user_accounts SET last_entry_sequence = 58 WHERE {ada}; "
             "UPDATE credit_allocations SET held_credits = 12, remaining_credits = 77 "
             "WHERE {ada} AND id = 9",
         "I1", "allocation 9: held_credits is 12, expected 0"},
        {"a hold given back while its session is active",
         "UPDATE credit_allocations SET held_credits = 0, remaining_credits = 26 "
         "WHERE {ada} AND id = 6",
         "I1", "allocation 6: held_credits is 0, expected 26"},
        {"a negative remainder",
         "UPDATE credit_allocations SET remaining_credits = -5, consumed_credits = 65 "
         "WHERE {ada} AND id = 10",
         "I1", "allocation 10: remaining_credits is negative"},
        {"less moved, more consumed",
         "UPDATE credit_allocations SET moved_credits = 25, consumed_credits = 953 "
         "WHERE {ada} AND id = 1",
         "I1", "allocation 1: moved_credits is 25, expected 26"},
        {"the total alone",
         "UPDATE credit_allocations SET total_credits = 61 WHERE {ada} AND id = 10", "I1",
         "allocation 10: total_credits is 61, expected 60"},
        {"what was revoked is back",
         "UPDATE credit_allocations SET remaining_credits = 15, revoked_credits = 0 "
         "WHERE {ada} AND id = 8",
         "I1", "allocation 8: it is revoked, and credits remain"},
        {"revoked, and the journal does not know",
         "UPDATE credit_allocations SET revoked_at = allocated_at, revoked_by = 'admin' "
         "WHERE {ada} AND id = 5",
         "I1", "allocation 5: revoked_at and the journal disagree"},
        {"not revoked any more",
         "UPDATE credit_allocations SET revoked_at = NULL, revoked_by = NULL "
         "WHERE {ada} AND id = 8",
         "I1", "allocation 8: revoked_at and the journal disagree"},
        {"an allocation in the middle lost",
         "DELETE FROM credit_allocations WHERE {ada} AND id = 3", "I1",
         "credit_allocations: the next id is 4, expected 3"},
        {"the last allocation lost", "DELETE FROM credit_allocations WHERE {ada} AND id = 10", "I1",
         "user_accounts: last_allocation_id is 10, expected 9"},
        {"the journal allocates twice",
         copy_of("credit_entries", "{ada} AND sequence = 55", "sequence = 58") +
             "UPDATE user_accounts SET last_entry_sequence = 58 WHERE {ada}",
         "I1", "allocation 10: number of allocate entries is 2, expected 1"},
        {"the counter of allocations",
         "UPDATE user_accounts SET last_allocation_id = 9 WHERE {ada}", "I1",
         "user_accounts: last_allocation_id is 9, expected 10"},
        {"the sum of allocated credits",
         "UPDATE user_accounts SET allocated_credits = allocated_credits - 1 WHERE {ada}", "I1",
         "user_accounts: allocated_credits is 1384, expected 1385"},
        {"numbers that no sum can hold",
         "UPDATE credit_allocations SET remaining_credits = 9223372036854775807 "
         "WHERE {ada} AND id IN (9, 10)",
         "I1", "allocation 9: remaining_credits is 9223372036854775807, expected 89"},
        {"an instant outside the years that can be stored",
         "UPDATE credit_allocations SET effective_at = effective_at + 4000000 * {day} "
         "WHERE {ada} AND id = 10",
         "I1", "credit_allocations: row 10 cannot be read"},
        {"the account itself is gone", "DELETE FROM user_accounts WHERE {ada}", "I1",
         "user_accounts: the account is not there"},
    });
  }

  TEST_CASE("I2: use that was not paid as its record says") {
    judge_each({
        {"the first record lost", "DELETE FROM usage_records WHERE {ada} AND id = 1", "I2",
         "usage_records: the next id is 2, expected 1"},
        {"a record in the middle lost", "DELETE FROM usage_records WHERE {ada} AND id = 14", "I2",
         "usage_records: the next id is 15, expected 14"},
        {"the last record lost", "DELETE FROM usage_records WHERE {ada} AND id = 17", "I2",
         "user_accounts: last_usage_id is 17, expected 16"},
        {"a record collected one less",
         "UPDATE usage_records SET collected_credits = 74 WHERE {ada} AND id = 1", "I2",
         "usage_records: record 1: collected_credits is 74, expected 75"},
        {"a record costs and collected one more",
         "UPDATE usage_records SET credits = 4, collected_credits = 4 WHERE {ada} AND id = 2", "I2",
         "usage_records: record 2: collected_credits is 4, expected 3"},
        {"what was recorded only has collected",
         "UPDATE usage_records SET collected_credits = 9 WHERE {ada} AND id = 3", "I2",
         "usage_records: record 3: collected_credits is 9, expected 0"},
        {"a charge doubled, all sums kept",
         copy_of("credit_entries", "{ada} AND sequence = 57", "sequence = 58") +
             "UPDATE user_accounts SET last_entry_sequence = 58 WHERE {ada}; "
             "UPDATE credit_allocations SET remaining_credits = 81, consumed_credits = 19 "
             "WHERE {ada} AND id = 9",
         "I2", "usage_records: record 16: collected_credits is 8, expected 16"},
        {"a charge paid in part, all sums kept",
         "UPDATE usage_records SET collected_credits = 7 WHERE {ada} AND id = 16; "
         "UPDATE credit_entries SET credits = -7 WHERE {ada} AND sequence = 57; "
         "UPDATE credit_allocations SET remaining_credits = 90, consumed_credits = 10 "
         "WHERE {ada} AND id = 9",
         "I2", "usage_records: record 16: collected_credits is 7 of 8"},
        {"a charge became a deduction",
         "UPDATE credit_entries SET kind = 'deduct' WHERE {ada} AND sequence = 49", "I2",
         "usage_records: record 14: collected_credits is 7, expected 0"},
        {"the counter of records", "UPDATE user_accounts SET last_usage_id = 18 WHERE {ada}", "I2",
         "user_accounts: last_usage_id is 18, expected 17"},
        {"the sum of used credits", "UPDATE user_accounts SET used_credits = 0 WHERE {ada}", "I2",
         "user_accounts: used_credits is 0, expected 5211"},
        {"metadata that is no JSON",
         "UPDATE usage_records SET metadata = 'no json' WHERE {ada} AND id = 16", "I2",
         "usage_records: row 16 cannot be read"},
    });
  }

  TEST_CASE("I6: rollups that are not their records") {
    judge_each({
        {"a lost row",
         "DELETE FROM usage_rollups WHERE {ada} AND day = '2026-01-05' AND model = 'n'", "I6",
         "usage_rollups: 2026-01-05 chat n is missing"},
        {"a stale row, from before the last record",
         "UPDATE usage_rollups SET records = 1, credits = 3 "
         "WHERE {ada} AND day = '2026-01-01' AND service = 'images'",
         "I6", "usage_rollups: 2026-01-01 images : records is 1, expected 2"},
        {"one credit more",
         "UPDATE usage_rollups SET credits = credits + 1 "
         "WHERE {ada} AND day = '2026-01-03' AND service = 'chat-streaming'",
         "I6", "usage_rollups: 2026-01-03 chat-streaming m: credits is 58, expected 57"},
        {"credits moved between two rows",
         "UPDATE usage_rollups SET credits = CASE model WHEN 'n' THEN 8 ELSE 7 END "
         "WHERE {ada} AND day = '2026-01-05' AND service = 'chat'",
         "I6", "usage_rollups: 2026-01-05 chat n: credits is 8, expected 7"},
        {"a row of nothing",
         copy_of("usage_rollups", "{ada} AND service = 'embeddings'", "day = '2026-01-02'"), "I6",
         "usage_rollups: 2026-01-02 embeddings : records is 1, expected 0"},
        {"a row of another model",
         "UPDATE usage_rollups SET model = 'o' "
         "WHERE {ada} AND day = '2026-01-05' AND model = 'n'",
         "I6", "usage_rollups: 2026-01-05 chat o: credits is 7, expected 0"},
        {"a row of another day",
         "UPDATE usage_rollups SET day = '2026-01-04' "
         "WHERE {ada} AND day = '2026-01-05' AND model = 'n'",
         "I6", "usage_rollups: 2026-01-04 chat n: credits is 7, expected 0"},
        {"a record of another service",
         "UPDATE usage_records SET service = 'embeddings' WHERE {ada} AND id = 17", "I6",
         "usage_rollups: 2026-01-05 embeddings  is missing"},
        {"a record of the day before, a microsecond before midnight",
         "UPDATE usage_records SET timestamp = timestamp - {tick} WHERE {ada} AND id = 3", "I6",
         "usage_rollups: 2025-12-31 images  is missing"},
    });
  }

  TEST_CASE("several faults at once are all reported, each of its account") {
    for_corruptible_books([](Books& books, CorruptibleBooks& corruptible) {
      corruptible.run(
          "UPDATE credit_allocations SET remaining_credits = 61 WHERE user_id = 'bob' AND id = 10;"
          "DELETE FROM usage_records WHERE {ada} AND id = 17;"
          "UPDATE streaming_sessions SET uncollected = 1 "
          "WHERE user_id = 'bob' AND session_id = 'over';"
          "UPDATE credit_entries SET kind = 'gift' WHERE {ada} AND sequence = 22;"
          "UPDATE idempotency_keys SET answer = '[]' WHERE {ada} AND idempotency_key = 'd-1';"
          "DELETE FROM usage_rollups WHERE user_id = 'bob' AND model = 'n'");
      const VerifyReport report = books.accounting().verify();
      CHECK(report.accounts == 2);
      struct Expected {
        std::string invariant;
        std::string user;
        std::string words;
      };
      for (const auto& [invariant, user, words] : std::vector<Expected>{
               {"I1", "bob", "allocation 10: remaining_credits is 61, expected 60"},
               {"I2", "ada", "last_usage_id is 17, expected 16"},
               {"I3", "bob", "session over: what the balance paid beyond its hold is 13"},
               {"I4", "ada", "credit_entries: row 22 cannot be read"},
               {"I5", "ada", "the key of deduct with fingerprint"},
               {"I6", "bob", "2026-01-05 chat n is missing"}}) {
        CAPTURE(words);
        CHECK(std::ranges::any_of(report.problems, [&](const Problem& problem) {
          return problem.invariant == invariant && problem.user_id == user &&
                 problem.detail.find(words) != std::string::npos;
        }));
      }
    });
  }
}

}  // namespace accounting::testing
