\set account random(1, :accounts)
WITH account AS (
  UPDATE floor_accounts SET credits = credits - 3 WHERE id = :account AND credits >= 3 RETURNING id
)
INSERT INTO floor_uses SELECT id, 3, now() FROM account;
