\set seed random(1, 1000000000000)
\startpipeline
BEGIN;
UPDATE rows_alone.user_accounts AS account
SET last_usage_id = last_usage_id + charges, last_entry_sequence = last_entry_sequence + charges,
  used_credits = used_credits + 3 * charges, last_entry_hash = (SELECT rows_alone.hash(:seed))
FROM (
  SELECT user_id, count(*) AS charges
  FROM rows_alone.charges(:seed, :operations, :accounts, :client_id, :clients) GROUP BY user_id
) AS batch
WHERE account.user_id = batch.user_id;
UPDATE rows_alone.credit_allocations AS allocation
SET remaining_credits = remaining_credits - 3 * charges,
  consumed_credits = consumed_credits + 3 * charges
FROM (
  SELECT user_id, count(*) AS charges
  FROM rows_alone.charges(:seed, :operations, :accounts, :client_id, :clients) GROUP BY user_id
) AS batch
WHERE allocation.user_id = batch.user_id AND id = 1;
INSERT INTO rows_alone.usage_records
SELECT user_id, (extract(epoch FROM now()) * 1000000)::bigint * 1000 + number, now(), 'chat',
  'model', 3, 3
FROM rows_alone.charges(:seed, :operations, :accounts, :client_id, :clients);
INSERT INTO rows_alone.credit_entries
SELECT user_id, (extract(epoch FROM now()) * 1000000)::bigint * 1000 + number, 1, 'charge', -3, 0,
  NULL, 1, 'host', now(), (SELECT rows_alone.hash(:seed))
FROM rows_alone.charges(:seed, :operations, :accounts, :client_id, :clients);
INSERT INTO rows_alone.usage_rollups AS rollup
SELECT user_id, current_date, 'chat', 'model', count(*), 3 * count(*)
FROM rows_alone.charges(:seed, :operations, :accounts, :client_id, :clients) GROUP BY user_id
ON CONFLICT (user_id, day, service, model) DO UPDATE
SET records = rollup.records + excluded.records, credits = rollup.credits + excluded.credits;
COMMIT;
\endpipeline
