-- API keys, and the audit trail of accounts, prices and keys.

CREATE TABLE api_keys (
  -- Of the secret, which is nowhere.
  key_hash TEXT NOT NULL,
  user_id TEXT NOT NULL,
  id INTEGER NOT NULL,
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,
  last_four TEXT NOT NULL,
  permissions TEXT NOT NULL,
  is_active INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used INTEGER,
  revoked_at INTEGER,
  deleted_at INTEGER,
  -- Microseconds that the key was issued for, also where rotation has shortened them; NULL: for ever.
  lifetime INTEGER,
  PRIMARY KEY (key_hash),
  UNIQUE (user_id, id),
  CHECK (is_active IN (0, 1)),
  CHECK (expires_at > created_at),
  CHECK (revoked_at IS NULL OR is_active = 0),
  CHECK (deleted_at IS NULL OR revoked_at IS NOT NULL)
) STRICT;

-- Who changed accounts, prices and keys. Prices stand under an empty user_id.
CREATE TABLE audit_entries (
  user_id TEXT NOT NULL,
  id INTEGER NOT NULL,
  actor TEXT NOT NULL,
  operation TEXT NOT NULL,
  subject TEXT NOT NULL,
  details TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, id)
) STRICT;

-- Newest first.
CREATE INDEX idx_audit_created ON audit_entries (created_at, user_id, id);

CREATE TRIGGER audit_entries_are_not_updated BEFORE UPDATE ON audit_entries
BEGIN
  SELECT RAISE(ABORT, 'audit entries are never changed');
END;

CREATE TRIGGER audit_entries_are_not_deleted BEFORE DELETE ON audit_entries
BEGIN
  SELECT RAISE(ABORT, 'audit entries are never changed');
END;

-- INSERT OR REPLACE deletes without asking the triggers of DELETE.
CREATE TRIGGER audit_entries_are_not_replaced BEFORE INSERT ON audit_entries
WHEN EXISTS (SELECT 1 FROM audit_entries WHERE user_id = NEW.user_id AND id = NEW.id)
BEGIN
  SELECT RAISE(ABORT, 'audit entries are never changed');
END;

CREATE TRIGGER credit_entries_are_not_replaced BEFORE INSERT ON credit_entries
WHEN EXISTS (SELECT 1 FROM credit_entries
             WHERE user_id = NEW.user_id AND sequence = NEW.sequence)
BEGIN
  SELECT RAISE(ABORT, 'journal entries are never changed');
END;
