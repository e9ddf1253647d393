-- The books: the original's tables and columns, and what keeps them exact.
-- Instants are microseconds since 1970 in UTC, days YYYY-MM-DD, prices exact decimal text.

CREATE TABLE user_accounts (
  user_id TEXT NOT NULL,
  email TEXT NOT NULL,
  username TEXT NOT NULL,
  role TEXT NOT NULL DEFAULT 'user',
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  -- Numbers that count within the account: its row is locked by whoever takes the next one.
  last_allocation_id INTEGER NOT NULL DEFAULT 0,
  last_usage_id INTEGER NOT NULL DEFAULT 0,
  last_entry_sequence INTEGER NOT NULL DEFAULT 0,
  -- Sums that keep every total of the account within 64 bits.
  allocated_credits INTEGER NOT NULL DEFAULT 0,
  used_credits INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (user_id),
  CHECK (role IN ('user', 'supervisor', 'admin')),
  CHECK (allocated_credits >= 0),
  CHECK (used_credits >= 0)
) STRICT;

-- Newest first.
CREATE INDEX idx_account_created ON user_accounts (created_at, user_id);

CREATE TABLE credit_allocations (
  user_id TEXT NOT NULL,
  id INTEGER NOT NULL,
  total_credits INTEGER NOT NULL,
  remaining_credits INTEGER NOT NULL,
  held_credits INTEGER NOT NULL DEFAULT 0,
  consumed_credits INTEGER NOT NULL DEFAULT 0,
  revoked_credits INTEGER NOT NULL DEFAULT 0,
  moved_credits INTEGER NOT NULL DEFAULT 0,
  allocated_by TEXT NOT NULL,
  allocated_at INTEGER NOT NULL,
  effective_at INTEGER NOT NULL,
  expires_at INTEGER,
  notes TEXT NOT NULL DEFAULT '',
  revoked_at INTEGER,
  revoked_by TEXT,
  active INTEGER NOT NULL GENERATED ALWAYS AS (remaining_credits > 0 AND revoked_at IS NULL) STORED,
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
) STRICT;

-- Burn order.
CREATE INDEX idx_credit_user_expiry ON credit_allocations (user_id, expires_at, allocated_at, id)
  WHERE active;

CREATE TABLE streaming_sessions (
  user_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  model_id TEXT NOT NULL,
  estimated_credits INTEGER NOT NULL,
  allocated_credits INTEGER NOT NULL,
  used_credits INTEGER NOT NULL DEFAULT 0,
  status TEXT NOT NULL DEFAULT 'active',
  started_at INTEGER NOT NULL,
  completed_at INTEGER,
  last_activity_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  -- A number, or an object of numbers by kind.
  first_tokens TEXT NOT NULL,
  estimated_tokens TEXT NOT NULL,
  reported_tokens TEXT,
  ended_tokens TEXT,
  -- Price and policy as they were when the session began.
  prices TEXT NOT NULL,
  policy TEXT NOT NULL,
  -- The record that the end of the session wrote.
  usage_id INTEGER,
  refund INTEGER NOT NULL DEFAULT 0,
  overage INTEGER NOT NULL DEFAULT 0,
  uncollected INTEGER NOT NULL DEFAULT 0,
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
) STRICT;

CREATE INDEX idx_streaming_user_status ON streaming_sessions (user_id, started_at, session_id)
  WHERE status = 'active';
CREATE INDEX idx_streaming_stale ON streaming_sessions (expires_at) WHERE status = 'active';

-- Which allocation gave how much to a session's hold, in the order in which it was taken.
CREATE TABLE session_slices (
  user_id TEXT NOT NULL,
  session_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  allocation_id INTEGER NOT NULL,
  credits INTEGER NOT NULL,
  PRIMARY KEY (user_id, session_id, position),
  FOREIGN KEY (user_id, session_id) REFERENCES streaming_sessions (user_id, session_id),
  FOREIGN KEY (user_id, allocation_id) REFERENCES credit_allocations (user_id, id),
  CHECK (credits > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_records (
  user_id TEXT NOT NULL,
  id INTEGER NOT NULL,
  timestamp INTEGER NOT NULL,
  service TEXT NOT NULL,
  operation TEXT NOT NULL,
  credits INTEGER NOT NULL,
  collected_credits INTEGER NOT NULL,
  metadata TEXT,
  PRIMARY KEY (user_id, id),
  FOREIGN KEY (user_id) REFERENCES user_accounts (user_id),
  CHECK (credits >= 0),
  CHECK (collected_credits >= 0 AND collected_credits <= credits)
) STRICT;

CREATE INDEX idx_usage_user_timestamp ON usage_records (user_id, timestamp, id);
-- The partial days at the ends of system-wide statistics.
CREATE INDEX idx_usage_timestamp ON usage_records (timestamp);

-- The journal: one entry for every change of an allocation, never changed.
CREATE TABLE credit_entries (
  user_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  allocation_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  credits INTEGER NOT NULL,
  held_credits INTEGER NOT NULL,
  session_id TEXT,
  usage_id INTEGER,
  actor TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, sequence),
  FOREIGN KEY (user_id, allocation_id) REFERENCES credit_allocations (user_id, id),
  CHECK (kind IN ('allocate', 'deduct', 'charge', 'hold', 'settle', 'refund', 'move', 'overage',
                  'revoke'))
) STRICT;

CREATE TRIGGER credit_entries_are_not_updated BEFORE UPDATE ON credit_entries
BEGIN
  SELECT RAISE(ABORT, 'journal entries are never changed');
END;

CREATE TRIGGER credit_entries_are_not_deleted BEFORE DELETE ON credit_entries
BEGIN
  SELECT RAISE(ABORT, 'journal entries are never changed');
END;

CREATE TABLE idempotency_keys (
  user_id TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  operation TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  answer TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, idempotency_key),
  FOREIGN KEY (user_id) REFERENCES user_accounts (user_id)
) STRICT;

-- Usage by day, kept in the transaction that records the use. Day is UTC; model is empty unless
-- the service is chat.
CREATE TABLE usage_rollups (
  user_id TEXT NOT NULL,
  day TEXT NOT NULL,
  service TEXT NOT NULL,
  model TEXT NOT NULL,
  records INTEGER NOT NULL,
  credits INTEGER NOT NULL,
  PRIMARY KEY (user_id, day, service, model),
  FOREIGN KEY (user_id) REFERENCES user_accounts (user_id),
  CHECK (records > 0),
  CHECK (credits >= 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX idx_rollup_day ON usage_rollups (day);

CREATE TABLE pricing_rules (
  model_id TEXT NOT NULL,
  id INTEGER NOT NULL,
  price_per_1k_tokens TEXT NOT NULL,
  input TEXT,
  output TEXT,
  cached_input TEXT,
  effective_from INTEGER NOT NULL,
  effective_to INTEGER,
  created_by TEXT NOT NULL,
  PRIMARY KEY (model_id, id),
  UNIQUE (model_id, effective_from),
  CHECK (effective_to > effective_from)
) STRICT;
