-- The journal of each account becomes a hash chain: an entry's hash covers it and the hash of the
-- entry before, so that no entry can be changed, left out or put in without all later hashes.

ALTER TABLE user_accounts ADD COLUMN last_entry_hash VARCHAR(64) NOT NULL DEFAULT '';

-- Of the entries that are there already only the last one's hash is kept, in the account.
ALTER TABLE credit_entries ADD COLUMN hash VARCHAR(64);

-- Not for the entries that are there already. A process that runs an older version of the library
-- cannot continue the chain, so it is refused.
ALTER TABLE credit_entries ADD CONSTRAINT credit_entries_are_chained CHECK (hash IS NOT NULL)
  NOT VALID;
