-- API keys, and the audit trail of accounts, prices and keys.

-- A small table without a key to accounts, so that it can be replicated to every shard.
CREATE TABLE api_keys (
  -- Of the secret, which is nowhere.
  key_hash VARCHAR(64) COLLATE "C" NOT NULL,
  user_id VARCHAR(50) COLLATE "C" NOT NULL,
  id BIGINT NOT NULL,
  name VARCHAR(100) NOT NULL,
  prefix VARCHAR(20) NOT NULL,
  last_four VARCHAR(4) NOT NULL,
  permissions TEXT[] NOT NULL,
  is_active BOOLEAN NOT NULL DEFAULT TRUE,
  created_at TIMESTAMPTZ NOT NULL,
  expires_at TIMESTAMPTZ,
  last_used TIMESTAMPTZ,
  revoked_at TIMESTAMPTZ,
  deleted_at TIMESTAMPTZ,
  -- Microseconds that the key was issued for, also where rotation has shortened them; NULL: for ever.
  lifetime BIGINT,
  PRIMARY KEY (key_hash),
  UNIQUE (user_id, id),
  CHECK (expires_at > created_at),
  CHECK (revoked_at IS NULL OR NOT is_active),
  CHECK (deleted_at IS NULL OR revoked_at IS NOT NULL)
);

-- Who changed accounts, prices and keys. Prices stand under an empty user_id.
CREATE TABLE audit_entries (
  user_id VARCHAR(50) COLLATE "C" NOT NULL,
  id BIGINT NOT NULL,
  actor TEXT NOT NULL,
  operation VARCHAR(50) NOT NULL,
  subject VARCHAR(100) COLLATE "C" NOT NULL,
  details JSONB NOT NULL,
  created_at TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (user_id, id)
);

-- Newest first.
CREATE INDEX idx_audit_created ON audit_entries (created_at, user_id, id);

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS '
BEGIN
  RAISE EXCEPTION USING ERRCODE = ''restrict_violation'',
    MESSAGE = ''audit entries are never changed'';
END';

CREATE TRIGGER audit_entries_are_final BEFORE UPDATE OR DELETE ON audit_entries
  FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();

-- Emptying a whole table is a change too.
CREATE TRIGGER audit_entries_are_kept BEFORE TRUNCATE ON audit_entries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER credit_entries_are_kept BEFORE TRUNCATE ON credit_entries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_journal_change();
