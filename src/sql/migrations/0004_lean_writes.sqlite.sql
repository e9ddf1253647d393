-- The quarter of an hour, counted from 1970, in which a session may be expired: on servers it keeps
-- signs of life from changing an index, and the query is the same here.
ALTER TABLE streaming_sessions ADD COLUMN expiry_quarter INTEGER NOT NULL GENERATED ALWAYS AS
  (expires_at / 900000000) VIRTUAL;
DROP INDEX idx_streaming_stale;
CREATE INDEX idx_streaming_stale ON streaming_sessions (expiry_quarter) WHERE status = 'active';

-- Burn order as one range: what never expires stands behind all that does.
DROP INDEX idx_credit_user_expiry;
CREATE INDEX idx_credit_user_expiry ON credit_allocations
  (user_id, coalesce(expires_at, 9223372036854775807), allocated_at, id) WHERE active;
