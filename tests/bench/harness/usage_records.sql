-- Usage made up for statistics: 30 days of 5 models, as even as can be, with the rollups that the
-- library would have kept. Three parts: before, for each user, after.
ALTER TABLE usage_records DROP CONSTRAINT usage_records_pkey;
DROP INDEX idx_usage_user_timestamp;
DROP INDEX idx_usage_timestamp;
-- It is vacuumed in the end, and not while something is measured.
ALTER TABLE usage_records SET (autovacuum_enabled = false);
-- ----
BEGIN;
INSERT INTO usage_records
  (user_id, id, timestamp, service, operation, credits, collected_credits)
SELECT :'user_id', id, TIMESTAMPTZ '2026-01-01 00:00:00+00'
         + (id - 1) * (INTERVAL '30 days' / :records),
       'chat', 'model-' || id % 5, 1 + id % 7, 1 + id % 7
FROM generate_series(1, :records) AS id;
INSERT INTO usage_rollups (user_id, day, service, model, records, credits)
SELECT user_id, (timestamp AT TIME ZONE 'UTC')::date, service, operation, count(*), sum(credits)
FROM usage_records WHERE user_id = :'user_id'
GROUP BY 1, 2, 3, 4;
UPDATE user_accounts
SET last_usage_id = :records,
    used_credits = (SELECT sum(credits) FROM usage_rollups WHERE user_id = :'user_id')
WHERE user_id = :'user_id';
COMMIT;
-- ----
ALTER TABLE usage_records ADD PRIMARY KEY (user_id, id);
CREATE INDEX idx_usage_user_timestamp ON usage_records (user_id, timestamp, id);
CREATE INDEX idx_usage_timestamp ON usage_records USING brin (timestamp)
  WITH (pages_per_range = 32, autosummarize = on);
VACUUM (ANALYZE);
