\set batch random(1, 1000000000)
\startpipeline
BEGIN;
-- Clients have accounts of their own, so that none waits for another.
UPDATE rows_alone.user_accounts AS account SET last_usage_id = last_usage_id + uses,
  last_entry_sequence = last_entry_sequence + uses, used_credits = used_credits + 3 * uses,
  last_entry_hash = repeat('a', 64)
FROM (
  SELECT (hashint8(:batch * 1000 + n) & 2147483647) % (:accounts / :clients) AS number,
    count(*) AS uses
  FROM generate_series(1, :operations) AS n GROUP BY number
) AS charges
WHERE user_id = 'user-' || lpad((1 + :client_id + number * :clients)::text, 5, '0');
UPDATE rows_alone.credit_allocations AS allocation
SET remaining_credits = remaining_credits - 3 * uses, consumed_credits = consumed_credits + 3 * uses
FROM (
  SELECT (hashint8(:batch * 1000 + n) & 2147483647) % (:accounts / :clients) AS number,
    count(*) AS uses
  FROM generate_series(1, :operations) AS n GROUP BY number
) AS charges
WHERE user_id = 'user-' || lpad((1 + :client_id + number * :clients)::text, 5, '0') AND id = 1;
INSERT INTO rows_alone.usage_records
SELECT 'user-' || lpad((1 + :client_id
    + (hashint8(:batch * 1000 + n) & 2147483647) % (:accounts / :clients) * :clients)::text, 5, '0'),
  (extract(epoch FROM now()) * 1000000)::bigint * 1000 + n, now(), 'chat', 'model', 3, 3, NULL
FROM generate_series(1, :operations) AS n;
INSERT INTO rows_alone.credit_entries (user_id, sequence, allocation_id, kind, credits,
  held_credits, usage_id, actor, created_at, hash)
SELECT 'user-' || lpad((1 + :client_id
    + (hashint8(:batch * 1000 + n) & 2147483647) % (:accounts / :clients) * :clients)::text, 5, '0'),
  (extract(epoch FROM now()) * 1000000)::bigint * 1000 + n, 1, 'charge', -3, 0, 1, 'host', now(),
  repeat('a', 64)
FROM generate_series(1, :operations) AS n;
INSERT INTO rows_alone.usage_rollups
SELECT 'user-' || lpad((1 + :client_id + number * :clients)::text, 5, '0'), current_date, 'chat',
  'model', uses, 3 * uses
FROM (
  SELECT (hashint8(:batch * 1000 + n) & 2147483647) % (:accounts / :clients) AS number,
    count(*) AS uses
  FROM generate_series(1, :operations) AS n GROUP BY number
) AS charges
ON CONFLICT (user_id, day, service, model) DO UPDATE SET
  records = usage_rollups.records + excluded.records,
  credits = usage_rollups.credits + excluded.credits;
COMMIT;
\endpipeline
