-- The books: the original's tables and columns, and what keeps them exact.
-- user_id leads every key of the tables that grow with use, so that they shard by user.
-- Names are ordered by their bytes on every server, as they are on SQLite.

CREATE TABLE user_accounts (
  user_id VARCHAR(50) COLLATE "C" NOT NULL,
  email VARCHAR(255) NOT NULL,
  username VARCHAR(100) NOT NULL,
  role VARCHAR(50) NOT NULL DEFAULT 'user',
  created_at TIMESTAMPTZ NOT NULL,
  updated_at TIMESTAMPTZ NOT NULL,
  -- Numbers that count within the account: its row is locked by whoever takes the next one.
  last_allocation_id BIGINT NOT NULL DEFAULT 0,
  last_usage_id BIGINT NOT NULL DEFAULT 0,
  last_entry_sequence BIGINT NOT NULL DEFAULT 0,
  -- Sums that keep every total of the account within 64 bits.
  allocated_credits BIGINT NOT NULL DEFAULT 0,
  used_credits BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id),
  CHECK (role IN ('user', 'supervisor', 'admin')),
  CHECK (allocated_credits >= 0),
  CHECK (used_credits >= 0)
);

-- Newest first.
CREATE INDEX idx_account_created ON user_accounts (created_at, user_id);

CREATE TABLE credit_allocations (
  user_id VARCHAR(50) COLLATE "C" NOT NULL,
  id BIGINT NOT NULL,
  total_credits BIGINT NOT NULL,
  remaining_credits BIGINT NOT NULL,
  held_credits BIGINT NOT NULL DEFAULT 0,
  consumed_credits BIGINT NOT NULL DEFAULT 0,
  revoked_credits BIGINT NOT NULL DEFAULT 0,
  moved_credits BIGINT NOT NULL DEFAULT 0,
  allocated_by VARCHAR(50) NOT NULL,
  allocated_at TIMESTAMPTZ NOT NULL,
  effective_at TIMESTAMPTZ NOT NULL,
  expires_at TIMESTAMPTZ,
  notes TEXT NOT NULL DEFAULT '',
  revoked_at TIMESTAMPTZ,
  revoked_by VARCHAR(50),
  -- Flips only when the allocation is used up or refilled, so that the indexes below leave the
  -- updates in between to stay within their page (HOT).
  active BOOLEAN NOT NULL GENERATED ALWAYS AS (remaining_credits > 0 AND revoked_at IS NULL) STORED,
  PRIMARY KEY (user_id, id),
  FOREIGN KEY (user_id) REFERENCES user_accounts (user_id),
  CHECK (total_credits >= 0),
  CHECK (remaining_credits >= 0),
  CHECK (held_credits >= 0),
  CHECK (consumed_credits >= 0),
  CHECK (revoked_credits >= 0),
  CHECK (moved_credits >= 0),
  CHECK (total_credits = remaining_credits + held_credits + consumed_credits + revoked_credits
         + moved_credits),
  CHECK (expires_at > effective_at AND expires_at > allocated_at),
  CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)),
  CHECK (revoked_at IS NULL OR remaining_credits = 0)
);

-- Burn order.
CREATE INDEX idx_credit_user_expiry ON credit_allocations (user_id, expires_at, allocated_at, id)
  WHERE active;

CREATE TABLE streaming_sessions (
  user_id VARCHAR(50) COLLATE "C" NOT NULL,
  session_id VARCHAR(100) COLLATE "C" NOT NULL,
  model_id VARCHAR(100) COLLATE "C" NOT NULL,
  estimated_credits BIGINT NOT NULL,
  allocated_credits BIGINT NOT NULL,
  used_credits BIGINT NOT NULL DEFAULT 0,
  status VARCHAR(20) NOT NULL DEFAULT 'active',
  started_at TIMESTAMPTZ NOT NULL,
  completed_at TIMESTAMPTZ,
  last_activity_at TIMESTAMPTZ NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL,
  -- A number, or an object of numbers by kind.
  first_tokens JSONB NOT NULL,
  estimated_tokens JSONB NOT NULL,
  reported_tokens JSONB,
  ended_tokens JSONB,
  -- Price and policy as they were when the session began.
  prices JSONB NOT NULL,
  policy JSONB NOT NULL,
  -- The record that the end of the session wrote.
  usage_id BIGINT,
  refund BIGINT NOT NULL DEFAULT 0,
  overage BIGINT NOT NULL DEFAULT 0,
  uncollected BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id, session_id),
  FOREIGN KEY (user_id) REFERENCES user_accounts (user_id),
  CHECK (estimated_credits >= 0),
  CHECK (allocated_credits >= estimated_credits),
  CHECK (used_credits >= 0),
  CHECK (status IN ('active', 'completed', 'failed', 'aborted', 'expired')),
  CHECK ((status = 'active') = (completed_at IS NULL)),
  CHECK ((status = 'active') = (ended_tokens IS NULL)),
  CHECK ((status = 'active') = (usage_id IS NULL)),
  CHECK (status = 'active' OR allocated_credits + overage = used_credits + refund),
  CHECK (refund >= 0),
  CHECK (uncollected >= 0 AND uncollected <= overage)
);

CREATE INDEX idx_streaming_user_status ON streaming_sessions (user_id, started_at, session_id)
  WHERE status = 'active';
CREATE INDEX idx_streaming_stale ON streaming_sessions (expires_at) WHERE status = 'active';

-- Which allocation gave how much to a session's hold, in the order in which it was taken.
CREATE TABLE session_slices (
  user_id VARCHAR(50) COLLATE "C" NOT NULL,
  session_id VARCHAR(100) COLLATE "C" NOT NULL,
  position BIGINT NOT NULL,
  allocation_id BIGINT NOT NULL,
  credits BIGINT NOT NULL,
  PRIMARY KEY (user_id, session_id, position),
  FOREIGN KEY (user_id, session_id) REFERENCES streaming_sessions (user_id, session_id),
  FOREIGN KEY (user_id, allocation_id) REFERENCES credit_allocations (user_id, id),
  CHECK (credits > 0)
);

CREATE TABLE usage_records (
  user_id VARCHAR(50) COLLATE "C" NOT NULL,
  id BIGINT NOT NULL,
  timestamp TIMESTAMPTZ NOT NULL,
  service VARCHAR(50) COLLATE "C" NOT NULL,
  operation VARCHAR(100) COLLATE "C" NOT NULL,
  credits BIGINT NOT NULL,
  collected_credits BIGINT NOT NULL,
  metadata JSONB,
  PRIMARY KEY (user_id, id),
  FOREIGN KEY (user_id) REFERENCES user_accounts (user_id),
  CHECK (credits >= 0),
  CHECK (collected_credits >= 0 AND collected_credits <= credits)
);

CREATE INDEX idx_usage_user_timestamp ON usage_records (user_id, timestamp, id);
-- The partial days at the ends of system-wide statistics.
CREATE INDEX idx_usage_timestamp ON usage_records (timestamp);

-- The journal: one entry for every change of an allocation, never changed.
CREATE TABLE credit_entries (
  user_id VARCHAR(50) COLLATE "C" NOT NULL,
  sequence BIGINT NOT NULL,
  allocation_id BIGINT NOT NULL,
  kind VARCHAR(20) NOT NULL,
  credits BIGINT NOT NULL,
  held_credits BIGINT NOT NULL,
  session_id VARCHAR(100) COLLATE "C",
  usage_id BIGINT,
  actor TEXT NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (user_id, sequence),
  FOREIGN KEY (user_id, allocation_id) REFERENCES credit_allocations (user_id, id),
  CHECK (kind IN ('allocate', 'deduct', 'charge', 'hold', 'settle', 'refund', 'move', 'overage',
                  'revoke'))
);

CREATE FUNCTION refuse_journal_change() RETURNS trigger LANGUAGE plpgsql AS '
BEGIN
  RAISE EXCEPTION USING ERRCODE = ''restrict_violation'',
    MESSAGE = ''journal entries are never changed'';
END';

CREATE TRIGGER credit_entries_are_final BEFORE UPDATE OR DELETE ON credit_entries
  FOR EACH ROW EXECUTE FUNCTION refuse_journal_change();

CREATE TABLE idempotency_keys (
  user_id VARCHAR(50) COLLATE "C" NOT NULL,
  idempotency_key VARCHAR(255) COLLATE "C" NOT NULL,
  operation VARCHAR(20) COLLATE "C" NOT NULL,
  fingerprint VARCHAR(64) NOT NULL,
  answer JSONB NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (user_id, idempotency_key),
  FOREIGN KEY (user_id) REFERENCES user_accounts (user_id)
);

-- Usage by day, kept in the transaction that records the use. Day is UTC; model is empty unless
-- the service is chat.
CREATE TABLE usage_rollups (
  user_id VARCHAR(50) COLLATE "C" NOT NULL,
  day DATE NOT NULL,
  service VARCHAR(50) COLLATE "C" NOT NULL,
  model VARCHAR(100) COLLATE "C" NOT NULL,
  records BIGINT NOT NULL,
  credits BIGINT NOT NULL,
  PRIMARY KEY (user_id, day, service, model),
  FOREIGN KEY (user_id) REFERENCES user_accounts (user_id),
  CHECK (records > 0),
  CHECK (credits >= 0)
);

CREATE INDEX idx_rollup_day ON usage_rollups (day);

-- A small table without a key to accounts, so that it can be replicated to every shard.
CREATE TABLE pricing_rules (
  model_id VARCHAR(100) COLLATE "C" NOT NULL,
  id BIGINT NOT NULL,
  price_per_1k_tokens NUMERIC(26, 10) NOT NULL,
  input NUMERIC(26, 10),
  output NUMERIC(26, 10),
  cached_input NUMERIC(26, 10),
  effective_from TIMESTAMPTZ NOT NULL,
  effective_to TIMESTAMPTZ,
  created_by VARCHAR(50) NOT NULL,
  PRIMARY KEY (model_id, id),
  UNIQUE (model_id, effective_from),
  CHECK (price_per_1k_tokens >= 0),
  CHECK (input >= 0),
  CHECK (output >= 0),
  CHECK (cached_input >= 0),
  CHECK (effective_to > effective_from)
);

ALTER TABLE user_accounts SET (fillfactor = 70);
ALTER TABLE credit_allocations SET (fillfactor = 70);
ALTER TABLE streaming_sessions SET (fillfactor = 70);
ALTER TABLE usage_rollups SET (fillfactor = 70);
