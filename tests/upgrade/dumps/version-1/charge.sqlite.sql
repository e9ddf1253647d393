BEGIN IMMEDIATE;
SELECT last_allocation_id, last_usage_id, last_entry_sequence, allocated_credits, used_credits FROM user_accounts WHERE user_id = 'ada' ;
SELECT idempotency_key, operation, fingerprint, (answer), (created_at) FROM idempotency_keys WHERE user_id = 'ada' AND idempotency_key = 'old-1';
SELECT id, (allocated_at), (effective_at), (expires_at), remaining_credits, (revoked_at) FROM (SELECT * FROM (SELECT * FROM credit_allocations WHERE user_id = 'ada' AND active AND expires_at > (1767571200000000) AND effective_at <= (1767571200000000) ORDER BY expires_at, allocated_at, id LIMIT 32) AS expiring UNION ALL SELECT * FROM (SELECT * FROM credit_allocations WHERE user_id = 'ada' AND active AND expires_at IS NULL AND effective_at <= (1767571200000000) ORDER BY allocated_at, id LIMIT 32) AS lasting) AS active_allocations ORDER BY expires_at NULLS LAST, allocated_at, id LIMIT 32;
-- the next trip
UPDATE user_accounts SET last_allocation_id = 4, last_usage_id = 5, last_entry_sequence = 20, allocated_credits = allocated_credits + 0, used_credits = used_credits + 3 WHERE user_id = 'ada' AND last_allocation_id = 4 AND last_usage_id = 4 AND last_entry_sequence = 19;
UPDATE credit_allocations SET remaining_credits = remaining_credits + -3, held_credits = held_credits + 0, consumed_credits = consumed_credits + 3, revoked_credits = revoked_credits + 0, moved_credits = moved_credits + 0 WHERE user_id = 'ada' AND id = 3;
INSERT INTO usage_records (user_id, id, timestamp, service, operation, credits, collected_credits, metadata) VALUES ('ada', 5, (1767571200000000), 'images', 'old', 3, 3, (NULL));
INSERT INTO credit_entries (user_id, sequence, allocation_id, kind, credits, held_credits, session_id, usage_id, actor, created_at) VALUES ('ada', 20, 3, 'charge', -3, 0, NULL, 5, 'host', (1767571200000000));
INSERT INTO usage_rollups (user_id, day, service, model, records, credits) VALUES ('ada', strftime('%Y-%m-%d', (1767571200000000) / 1000000, 'unixepoch'), 'images', '', 1, 3) ON CONFLICT (user_id, day, service, model) DO UPDATE SET records = usage_rollups.records + excluded.records, credits = usage_rollups.credits + excluded.credits;
INSERT INTO idempotency_keys (user_id, idempotency_key, operation, fingerprint, answer, created_at) VALUES ('ada', 'old-1', 'charge', '25b20e052235b43ae495e2e0080222f4fdba072030f554d1af5daf95542b00d5', ('{"entry":20,"slices":[[3,3]],"timestamp":1767571200000000,"usage_id":5}'), (1767571200000000));
COMMIT;
-- the next trip
