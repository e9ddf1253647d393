\set account random(1, :accounts)
SELECT credits FROM floor_accounts WHERE id = :account;
