-- The journal of each account becomes a hash chain: an entry's hash covers it and the hash of the
-- entry before, so that no entry can be changed, left out or put in without all later hashes.

ALTER TABLE user_accounts ADD COLUMN last_entry_hash TEXT NOT NULL DEFAULT '';

-- Of the entries that are there already only the last one's hash is kept, in the account.
ALTER TABLE credit_entries ADD COLUMN hash TEXT;

-- A process that runs an older version of the library cannot continue the chain, so it is refused.
CREATE TRIGGER credit_entries_are_chained BEFORE INSERT ON credit_entries
WHEN NEW.hash IS NULL
BEGIN
  SELECT RAISE(ABORT, 'journal entries carry a hash since version 3 of the schema');
END;
