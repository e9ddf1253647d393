\set account random(1, :accounts)
\set seed random(1, 1000000000000)
\startpipeline
BEGIN;
UPDATE rows_alone.user_accounts
SET last_usage_id = last_usage_id + 1, last_entry_sequence = last_entry_sequence + 1,
  used_credits = used_credits + 3, last_entry_hash = (SELECT rows_alone.hash(:seed))
WHERE user_id = rows_alone.name(:account);
UPDATE rows_alone.credit_allocations
SET remaining_credits = remaining_credits - 3, consumed_credits = consumed_credits + 3
WHERE user_id = rows_alone.name(:account) AND id = 1;
INSERT INTO rows_alone.usage_records
SELECT rows_alone.name(:account), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, now(),
  'chat', 'model', 3, 3;
INSERT INTO rows_alone.credit_entries
SELECT rows_alone.name(:account), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, 1,
  'charge', -3, 0, NULL, 1, 'host', now(), (SELECT rows_alone.hash(:seed));
INSERT INTO rows_alone.usage_rollups AS rollup
SELECT rows_alone.name(:account), current_date, 'chat', 'model', 1, 3
ON CONFLICT (user_id, day, service, model) DO UPDATE
SET records = rollup.records + excluded.records, credits = rollup.credits + excluded.credits;
COMMIT;
\endpipeline
