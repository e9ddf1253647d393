-- The tables that a charge writes to, once more and empty, with the same CHECKs and indexes: what
-- their rows alone cost is measured here, and the books are left as they are.
CREATE SCHEMA rows_alone;
CREATE TABLE rows_alone.user_accounts (LIKE user_accounts INCLUDING ALL) WITH (fillfactor = 70);
CREATE TABLE rows_alone.credit_allocations (LIKE credit_allocations INCLUDING ALL)
  WITH (fillfactor = 70);
CREATE TABLE rows_alone.usage_records (LIKE usage_records INCLUDING ALL);
CREATE TABLE rows_alone.credit_entries (LIKE credit_entries INCLUDING ALL);
CREATE TABLE rows_alone.usage_rollups (LIKE usage_rollups INCLUDING ALL) WITH (fillfactor = 70);
INSERT INTO rows_alone.user_accounts SELECT * FROM user_accounts;
INSERT INTO rows_alone.credit_allocations (user_id, id, total_credits, remaining_credits,
  allocated_by, allocated_at, effective_at)
SELECT user_id, 1, 1000000000000000, 1000000000000000, 'bench', now(), now() FROM user_accounts;

-- An account's name; a hash that is another one each time.
CREATE FUNCTION rows_alone.name(number bigint) RETURNS text IMMUTABLE LANGUAGE sql AS
  'SELECT ''user-'' || lpad(number::text, 5, ''0'')';

CREATE FUNCTION rows_alone.hash(seed bigint) RETURNS text IMMUTABLE LANGUAGE sql AS
  'SELECT md5(seed::text) || md5((-seed)::text)';

-- So many charges of accounts at random. Clients have accounts of their own, so that none waits for
-- another.
CREATE FUNCTION rows_alone.charges(seed bigint, operations bigint, accounts bigint, client bigint,
  clients bigint) RETURNS TABLE (number bigint, user_id text) IMMUTABLE LANGUAGE sql AS '
  SELECT number, rows_alone.name(1 + client + clients
    * ((hashint8(seed * 1000 + number) & 2147483647) % greatest(accounts / clients, 1)))
  FROM generate_series(1, operations) AS number';
