// The judge of sessions: what `verify` says where a hold did not go where its end says (I3).
#include "fault/judge.hpp"

namespace accounting::testing {

TEST_SUITE("judge") {
  TEST_CASE("I3: holds and slices") {
    judge_each({
        {"the last slice lost",
         "DELETE FROM session_slices WHERE {ada} AND session_id = 'spread' AND position = 2", "I3",
         "streaming_sessions: session spread: the sum of its slices is 6, expected 24"},
        {"a slice in the middle lost",
         "DELETE FROM session_slices WHERE {ada} AND session_id = 'active' AND position = 2", "I3",
         "session_slices: session active: position 3, expected 2"},
        {"a slice of a session that is not there",
         copy_of("session_slices", "{ada} AND session_id = 'over'", "session_id = 'never'"), "I3",
         "session_slices: session never: position 1 is of a session that is not there"},
        {"a slice of another allocation",
         "UPDATE session_slices SET allocation_id = 1 WHERE {ada} AND session_id = 'refunded'",
         "I3", "session refunded: its slices are not what the journal says was held"},
        {"a slice gave one more",
         "UPDATE session_slices SET credits = 13 WHERE {ada} AND session_id = 'over'", "I3",
         "session over: the sum of its slices is 13, expected 12"},
        {"an ended session's slice with an active session",
         "UPDATE session_slices SET session_id = 'active', position = 4 "
         "WHERE {ada} AND session_id = 'refunded'",
         "I3", "session active: the sum of its slices is 72, expected 48"},
        {"two slices in the other order",
         "UPDATE session_slices SET allocation_id = 7 - allocation_id, credits = 36 - credits "
         "WHERE {ada} AND session_id = 'active' AND position <= 2",
         "I3", "session active: its slices are not what the journal says was held"},
        {"an active session has ended, and nothing moved",
         "UPDATE streaming_sessions SET status = 'completed', completed_at = started_at, "
         "ended_tokens = '0', usage_id = 17, refund = 48 WHERE {ada} AND session_id = 'active'",
         "I3", "session active: what its hold gave back is 0, expected 48"},
        {"an ended session is active again",
         "UPDATE streaming_sessions SET status = 'active', completed_at = NULL, "
         "ended_tokens = NULL, usage_id = NULL, used_credits = 0, refund = 0 "
         "WHERE {ada} AND session_id = 'refunded'",
         "I3", "session refunded: what its hold gave back or paid while active is 24, expected 0"},
        {"an active session with a refund",
         "UPDATE streaming_sessions SET refund = 3 WHERE {ada} AND session_id = 'active'", "I3",
         "session active: refund is 3, expected 0"},
        {"a session lost", "DELETE FROM streaming_sessions WHERE {ada} AND session_id = 'over'",
         "I3", "credit_entries: session over is named and is not there"},
        {"an estimate of its own",
         "UPDATE streaming_sessions SET estimated_credits = 9 "
         "WHERE {ada} AND session_id = 'over'",
         "I3", "session over: estimated_credits is 9, expected 10"},
        {"a hold of its own",
         "UPDATE streaming_sessions SET allocated_credits = 13, refund = 1 "
         "WHERE {ada} AND session_id = 'short'",
         "I3", "session short: allocated_credits is 13, expected 6"},
        {"it began with other tokens",
         "UPDATE streaming_sessions SET first_tokens = '29' "
         "WHERE {ada} AND session_id = 'active'",
         "I3", "session active: its first slices do not add up to a hold of 35"},
        {"an overage alone",
         "UPDATE streaming_sessions SET overage = 12 WHERE {ada} AND session_id = 'over'", "I3",
         "session over: overage is 12, expected 13"},
        {"tokens that nobody can have used",
         "UPDATE streaming_sessions SET estimated_tokens = '-20' "
         "WHERE {ada} AND session_id = 'spread'",
         "I3", "session spread: estimated_credits is 20, expected -1"},
    });
  }

  TEST_CASE("I3: ends and refunds") {
    judge_each({
        {"five credits more were there to pay with when the balance had run out",
         "UPDATE credit_allocations SET total_credits = total_credits + 5, "
         "remaining_credits = remaining_credits + 5 WHERE {ada} AND id = 3; "
         "UPDATE credit_entries SET credits = credits + 5 "
         "WHERE {ada} AND allocation_id = 3 AND kind = 'allocate'; "
         "UPDATE user_accounts SET allocated_credits = allocated_credits + 5 WHERE {ada}",
         "I3", "session short: uncollected is 4083 although allocation 3 could still pay"},
        {"a refund doubled in the journal",
         copy_of("credit_entries", "{ada} AND sequence = 15", "sequence = 58") +
             "UPDATE user_accounts SET last_entry_sequence = 58 WHERE {ada}",
         "I3", "session refunded: what its hold gave back is 24, expected 12"},
        {"settled twice in the journal",
         copy_of("credit_entries", "{ada} AND sequence = 14", "sequence = 58") +
             "UPDATE user_accounts SET last_entry_sequence = 58 WHERE {ada}",
         "I3", "session refunded: what its hold paid is 24, expected 12"},
        {"two ends: completed in its record, aborted in its row",
         "UPDATE streaming_sessions SET status = 'aborted' "
         "WHERE {ada} AND session_id = 'refunded'",
         "I3",
         "session refunded: its usage record 5 is of service chat-streaming, expected "
         "chat-streaming-aborted"},
        {"two sessions ended with one record",
         "UPDATE streaming_sessions SET usage_id = 5 WHERE {ada} AND session_id = 'spread'", "I3",
         "session spread: it has no usage record of its own"},
        {"its record is not there",
         "UPDATE streaming_sessions SET usage_id = 99 WHERE {ada} AND session_id = 'spread'", "I3",
         "session spread: it has no usage record of its own"},
        {"a refund of one less, which was used",
         "UPDATE streaming_sessions SET refund = 11, used_credits = 13 "
         "WHERE {ada} AND session_id = 'refunded'",
         "I3", "session refunded: what its hold gave back is 12, expected 11"},
        {"an overage of one less",
         "UPDATE streaming_sessions SET overage = 12, used_credits = 24 "
         "WHERE {ada} AND session_id = 'over'",
         "I3", "session over: used_credits is 24, expected 25"},
        {"uncollected, though all was paid",
         "UPDATE streaming_sessions SET uncollected = 1 WHERE {ada} AND session_id = 'over'", "I3",
         "session over: what the balance paid beyond its hold is 13, expected 12"},
        {"less uncollected than was",
         "UPDATE streaming_sessions SET uncollected = 4082 WHERE {ada} AND session_id = 'short'",
         "I3", "session short: what the balance paid beyond its hold is 911, expected 912"},
        {"uncollected where the policy absorbs",
         "UPDATE streaming_sessions SET uncollected = 8 WHERE {ada} AND session_id = 'absorbed'",
         "I3", "session absorbed: uncollected is 8, expected 0"},
        {"it used other tokens, of the same cost",
         "UPDATE streaming_sessions SET ended_tokens = "
         "'{\"cached_input\":1,\"input\":4,\"output\":1}' "
         "WHERE {ada} AND session_id = 'aborted'",
         "I3", "session aborted: the metadata of its usage record 9"},
        {"its record is of another model",
         "UPDATE streaming_sessions SET model_id = 'n' WHERE {ada} AND session_id = 'spread'", "I3",
         "session spread: its usage record 6 is of another model"},
        {"another price",
         "UPDATE streaming_sessions SET prices = replace(prices, '1000', '1001') "
         "WHERE {ada} AND session_id = 'failed'",
         "I3", "session failed: used_credits is 6, expected 7"},
        {"another buffer",
         "UPDATE streaming_sessions SET policy = replace(policy, '2000', '1000') "
         "WHERE {ada} AND session_id = 'failed'",
         "I3", "session failed: allocated_credits is 12, expected 11"},
        {"a policy under which nothing moves",
         "UPDATE streaming_sessions SET policy = replace(policy, 'new_allocation', 'to_source') "
         "WHERE {ada} AND session_id = 'moved'",
         "I3", "session moved: what moved under to_source is 26, expected 0"},
        {"a refund that lasts longer than its policy says",
         "UPDATE credit_allocations SET expires_at = expires_at + {day} WHERE {ada} AND id = 6",
         "I3", "session moved: its refund, allocation 6, does not last"},
        {"a refund into an allocation that the journal made smaller",
         "UPDATE credit_entries SET credits = 25 WHERE {ada} AND sequence = 37", "I3",
         "session moved: what its hold moved to a new allocation is 25, expected 26"},
        {"it ended at another instant",
         "UPDATE streaming_sessions SET completed_at = completed_at + {tick} "
         "WHERE {ada} AND session_id = 'over'",
         "I3", "session over: completed_at is not the instant of its usage record 7"},
        {"it began at another instant",
         "UPDATE streaming_sessions SET started_at = started_at - {tick} "
         "WHERE {ada} AND session_id = 'over'",
         "I3", "session over: started_at is not the instant of its first hold"},
        {"it may go without a sign of life for longer",
         "UPDATE streaming_sessions SET expires_at = expires_at + {day} "
         "WHERE {ada} AND session_id = 'active'",
         "I3", "session active: expires_at is not its policy's session_ttl after"},
        {"a status that there is none",
         "UPDATE streaming_sessions SET status = 'lost' WHERE {ada} AND session_id = 'over'", "I3",
         "streaming_sessions: row over cannot be read"},
        {"a policy that is no JSON",
         "UPDATE streaming_sessions SET policy = 'none' WHERE {ada} AND session_id = 'over'", "I3",
         "streaming_sessions: row over cannot be read"},
        {"prices without a price",
         "UPDATE streaming_sessions SET prices = '{}' WHERE {ada} AND session_id = 'over'", "I3",
         "streaming_sessions: row over cannot be read"},
    });
  }
}

}  // namespace accounting::testing
