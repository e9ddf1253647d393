
CREATE FUNCTION refuse_audit_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'restrict_violation',
    MESSAGE = 'audit entries are never changed';
END$$;

CREATE FUNCTION refuse_journal_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'restrict_violation',
    MESSAGE = 'journal entries are never changed';
END$$;

CREATE TABLE accounting_locks (
    name text NOT NULL
);

CREATE TABLE accounting_migrations (
    version bigint NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone NOT NULL
);

CREATE TABLE api_keys (
    key_hash character varying(64) NOT NULL COLLATE pg_catalog."C",
    user_id character varying(50) NOT NULL COLLATE pg_catalog."C",
    id bigint NOT NULL,
    name character varying(100) NOT NULL,
    prefix character varying(20) NOT NULL,
    last_four character varying(4) NOT NULL,
    permissions text[] NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    last_used timestamp with time zone,
    revoked_at timestamp with time zone,
    deleted_at timestamp with time zone,
    lifetime bigint,
    CONSTRAINT api_keys_check CHECK ((expires_at > created_at)),
    CONSTRAINT api_keys_check1 CHECK (((revoked_at IS NULL) OR (NOT is_active))),
    CONSTRAINT api_keys_check2 CHECK (((deleted_at IS NULL) OR (revoked_at IS NOT NULL)))
);

CREATE TABLE audit_entries (
    user_id character varying(50) NOT NULL COLLATE pg_catalog."C",
    id bigint NOT NULL,
    actor text NOT NULL,
    operation character varying(50) NOT NULL,
    subject character varying(100) NOT NULL COLLATE pg_catalog."C",
    details jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE credit_allocations (
    user_id character varying(50) NOT NULL COLLATE pg_catalog."C",
    id bigint NOT NULL,
    total_credits bigint NOT NULL,
    remaining_credits bigint NOT NULL,
    held_credits bigint DEFAULT 0 NOT NULL,
    consumed_credits bigint DEFAULT 0 NOT NULL,
    revoked_credits bigint DEFAULT 0 NOT NULL,
    moved_credits bigint DEFAULT 0 NOT NULL,
    allocated_by character varying(50) NOT NULL,
    allocated_at timestamp with time zone NOT NULL,
    effective_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone,
    notes text DEFAULT ''::text NOT NULL,
    revoked_at timestamp with time zone,
    revoked_by character varying(50),
    active boolean GENERATED ALWAYS AS (((remaining_credits > 0) AND (revoked_at IS NULL))) STORED NOT NULL,
    CONSTRAINT credit_allocations_check CHECK ((total_credits = ((((remaining_credits + held_credits) + consumed_credits) + revoked_credits) + moved_credits))),
    CONSTRAINT credit_allocations_check1 CHECK (((expires_at > effective_at) AND (expires_at > allocated_at))),
    CONSTRAINT credit_allocations_check2 CHECK (((revoked_at IS NULL) = (revoked_by IS NULL))),
    CONSTRAINT credit_allocations_check3 CHECK (((revoked_at IS NULL) OR (remaining_credits = 0))),
    CONSTRAINT credit_allocations_consumed_credits_check CHECK ((consumed_credits >= 0)),
    CONSTRAINT credit_allocations_held_credits_check CHECK ((held_credits >= 0)),
    CONSTRAINT credit_allocations_moved_credits_check CHECK ((moved_credits >= 0)),
    CONSTRAINT credit_allocations_remaining_credits_check CHECK ((remaining_credits >= 0)),
    CONSTRAINT credit_allocations_revoked_credits_check CHECK ((revoked_credits >= 0)),
    CONSTRAINT credit_allocations_total_credits_check CHECK ((total_credits >= 0))
)
WITH (fillfactor='70');

CREATE TABLE credit_entries (
    user_id character varying(50) NOT NULL COLLATE pg_catalog."C",
    sequence bigint NOT NULL,
    allocation_id bigint NOT NULL,
    kind character varying(20) NOT NULL,
    credits bigint NOT NULL,
    held_credits bigint NOT NULL,
    session_id character varying(100) COLLATE pg_catalog."C",
    usage_id bigint,
    actor text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    hash character varying(64),
    CONSTRAINT credit_entries_kind_check CHECK (((kind)::text = ANY ((ARRAY['allocate'::character varying, 'deduct'::character varying, 'charge'::character varying, 'hold'::character varying, 'settle'::character varying, 'refund'::character varying, 'move'::character varying, 'overage'::character varying, 'revoke'::character varying])::text[])))
);

CREATE TABLE idempotency_keys (
    user_id character varying(50) NOT NULL COLLATE pg_catalog."C",
    idempotency_key character varying(255) NOT NULL COLLATE pg_catalog."C",
    operation character varying(20) NOT NULL COLLATE pg_catalog."C",
    fingerprint character varying(64) NOT NULL,
    answer jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE pricing_rules (
    model_id character varying(100) NOT NULL COLLATE pg_catalog."C",
    id bigint NOT NULL,
    price_per_1k_tokens numeric(26,10) NOT NULL,
    input numeric(26,10),
    output numeric(26,10),
    cached_input numeric(26,10),
    effective_from timestamp with time zone NOT NULL,
    effective_to timestamp with time zone,
    created_by character varying(50) NOT NULL,
    CONSTRAINT pricing_rules_cached_input_check CHECK ((cached_input >= (0)::numeric)),
    CONSTRAINT pricing_rules_check CHECK ((effective_to > effective_from)),
    CONSTRAINT pricing_rules_input_check CHECK ((input >= (0)::numeric)),
    CONSTRAINT pricing_rules_output_check CHECK ((output >= (0)::numeric)),
    CONSTRAINT pricing_rules_price_per_1k_tokens_check CHECK ((price_per_1k_tokens >= (0)::numeric))
);

CREATE TABLE session_slices (
    user_id character varying(50) NOT NULL COLLATE pg_catalog."C",
    session_id character varying(100) NOT NULL COLLATE pg_catalog."C",
    "position" bigint NOT NULL,
    allocation_id bigint NOT NULL,
    credits bigint NOT NULL,
    CONSTRAINT session_slices_credits_check CHECK ((credits > 0))
);

CREATE TABLE streaming_sessions (
    user_id character varying(50) NOT NULL COLLATE pg_catalog."C",
    session_id character varying(100) NOT NULL COLLATE pg_catalog."C",
    model_id character varying(100) NOT NULL COLLATE pg_catalog."C",
    estimated_credits bigint NOT NULL,
    allocated_credits bigint NOT NULL,
    used_credits bigint DEFAULT 0 NOT NULL,
    status character varying(20) DEFAULT 'active'::character varying NOT NULL,
    started_at timestamp with time zone NOT NULL,
    completed_at timestamp with time zone,
    last_activity_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    first_tokens jsonb NOT NULL,
    estimated_tokens jsonb NOT NULL,
    reported_tokens jsonb,
    ended_tokens jsonb,
    prices jsonb NOT NULL,
    policy jsonb NOT NULL,
    usage_id bigint,
    refund bigint DEFAULT 0 NOT NULL,
    overage bigint DEFAULT 0 NOT NULL,
    uncollected bigint DEFAULT 0 NOT NULL,
    CONSTRAINT streaming_sessions_check CHECK ((allocated_credits >= estimated_credits)),
    CONSTRAINT streaming_sessions_check1 CHECK ((((status)::text = 'active'::text) = (completed_at IS NULL))),
    CONSTRAINT streaming_sessions_check2 CHECK ((((status)::text = 'active'::text) = (ended_tokens IS NULL))),
    CONSTRAINT streaming_sessions_check3 CHECK ((((status)::text = 'active'::text) = (usage_id IS NULL))),
    CONSTRAINT streaming_sessions_check4 CHECK ((((status)::text = 'active'::text) OR ((allocated_credits + overage) = (used_credits + refund)))),
    CONSTRAINT streaming_sessions_check5 CHECK (((uncollected >= 0) AND (uncollected <= overage))),
    CONSTRAINT streaming_sessions_estimated_credits_check CHECK ((estimated_credits >= 0)),
    CONSTRAINT streaming_sessions_refund_check CHECK ((refund >= 0)),
    CONSTRAINT streaming_sessions_status_check CHECK (((status)::text = ANY ((ARRAY['active'::character varying, 'completed'::character varying, 'failed'::character varying, 'aborted'::character varying, 'expired'::character varying])::text[]))),
    CONSTRAINT streaming_sessions_used_credits_check CHECK ((used_credits >= 0))
)
WITH (fillfactor='70');

CREATE TABLE usage_records (
    user_id character varying(50) NOT NULL COLLATE pg_catalog."C",
    id bigint NOT NULL,
    "timestamp" timestamp with time zone NOT NULL,
    service character varying(50) NOT NULL COLLATE pg_catalog."C",
    operation character varying(100) NOT NULL COLLATE pg_catalog."C",
    credits bigint NOT NULL,
    collected_credits bigint NOT NULL,
    metadata jsonb,
    CONSTRAINT usage_records_check CHECK (((collected_credits >= 0) AND (collected_credits <= credits))),
    CONSTRAINT usage_records_credits_check CHECK ((credits >= 0))
);

CREATE TABLE usage_rollups (
    user_id character varying(50) NOT NULL COLLATE pg_catalog."C",
    day date NOT NULL,
    service character varying(50) NOT NULL COLLATE pg_catalog."C",
    model character varying(100) NOT NULL COLLATE pg_catalog."C",
    records bigint NOT NULL,
    credits bigint NOT NULL,
    CONSTRAINT usage_rollups_credits_check CHECK ((credits >= 0)),
    CONSTRAINT usage_rollups_records_check CHECK ((records > 0))
)
WITH (fillfactor='70');

CREATE TABLE user_accounts (
    user_id character varying(50) NOT NULL COLLATE pg_catalog."C",
    email character varying(255) NOT NULL,
    username character varying(100) NOT NULL,
    role character varying(50) DEFAULT 'user'::character varying NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    last_allocation_id bigint DEFAULT 0 NOT NULL,
    last_usage_id bigint DEFAULT 0 NOT NULL,
    last_entry_sequence bigint DEFAULT 0 NOT NULL,
    allocated_credits bigint DEFAULT 0 NOT NULL,
    used_credits bigint DEFAULT 0 NOT NULL,
    last_entry_hash character varying(64) DEFAULT ''::character varying NOT NULL,
    CONSTRAINT user_accounts_allocated_credits_check CHECK ((allocated_credits >= 0)),
    CONSTRAINT user_accounts_role_check CHECK (((role)::text = ANY ((ARRAY['user'::character varying, 'supervisor'::character varying, 'admin'::character varying])::text[]))),
    CONSTRAINT user_accounts_used_credits_check CHECK ((used_credits >= 0))
)
WITH (fillfactor='70');

INSERT INTO accounting_locks VALUES ('migrations');
INSERT INTO accounting_locks VALUES ('pricing');

INSERT INTO accounting_migrations VALUES (1, 'ledger', 'ce1f68b21ab385ea8f56c35e74a2051aba518a618310bf6dbcf1a6eaa241e235', '2026-01-01 00:00:00+00');
INSERT INTO accounting_migrations VALUES (2, 'identity', 'bb25ffc6eb3fdfc079da343b11488c3bdbb96b33a85446a30e63d8c998abd46b', '2026-01-01 00:00:00+00');
INSERT INTO accounting_migrations VALUES (3, 'hash_chain', '040fb3787714c74c8eb8ef20724258419160bea8defda8fa0c9f9cd1273e2564', '2026-01-01 00:00:00+00');

INSERT INTO api_keys VALUES ('7613efc7fee98846d2b8f3425f6c29ec05f25876805bab33c6a805a7cab3fc57', 'ada', 1, 'first', 'acct', 'WrLd', '{usage:write}', true, '2026-01-05 00:00:00+00', NULL, NULL, NULL, NULL, NULL);
INSERT INTO api_keys VALUES ('a872dca6251d927db3646a4d9cd941801259c20cf5ab4fa79bbeae8bac4697fe', 'ada', 2, 'second', 'acct', '97pl', '{usage:write}', false, '2026-01-05 00:00:00+00', '2026-02-04 00:00:00+00', NULL, '2026-01-05 00:00:00+00', NULL, 2592000000000);

INSERT INTO audit_entries VALUES ('ada', 1, 'host', 'accounts.sync', 'ada', '{"role": "user", "email": "ada@example.org", "created": true, "username": "User ada"}', '2026-01-01 00:00:00+00');
INSERT INTO audit_entries VALUES ('bob', 1, 'host', 'accounts.sync', 'bob', '{"role": "supervisor", "email": "bob@example.org", "created": true, "username": "User bob"}', '2026-01-01 00:00:00+00');
INSERT INTO audit_entries VALUES ('zoë', 1, 'host', 'accounts.sync', 'zoë', '{"role": "user", "email": "zoë@example.org", "created": true, "username": "User zoë"}', '2026-01-01 00:00:00+00');
INSERT INTO audit_entries VALUES ('', 1, 'host', 'pricing.set', 'big', '{"id": 1, "input": null, "output": null, "created_by": "admin", "cached_input": null, "effective_to": null, "effective_from": 1767225600000000, "price_per_1k_tokens": "1000"}', '2026-01-01 00:00:00+00');
INSERT INTO audit_entries VALUES ('', 2, 'host', 'pricing.set', 'small', '{"id": 1, "input": null, "output": null, "created_by": "admin", "cached_input": null, "effective_to": null, "effective_from": 1767225600000000, "price_per_1k_tokens": "1000"}', '2026-01-01 00:00:00+00');
INSERT INTO audit_entries VALUES ('', 3, 'host', 'pricing.set', 'big', '{"id": 2, "input": "1000.0000000001", "output": "3000", "created_by": "admin", "cached_input": null, "effective_to": null, "effective_from": 1767398400000000, "price_per_1k_tokens": "2000.5"}', '2026-01-01 00:00:00+00');
INSERT INTO audit_entries VALUES ('ada', 2, 'host', 'api_keys.create', '1', '{"name": "first", "prefix": "acct", "is_active": true, "last_four": "WrLd", "expires_at": null, "revoked_at": null, "permissions": ["usage:write"]}', '2026-01-05 00:00:00+00');
INSERT INTO audit_entries VALUES ('ada', 3, 'host', 'api_keys.create', '2', '{"name": "second", "prefix": "acct", "is_active": true, "last_four": "97pl", "expires_at": 1770163200000000, "revoked_at": null, "permissions": ["usage:write"]}', '2026-01-05 00:00:00+00');
INSERT INTO audit_entries VALUES ('ada', 4, 'host', 'api_keys.revoke', '2', '{"name": "second", "prefix": "acct", "is_active": false, "last_four": "97pl", "expires_at": 1770163200000000, "revoked_at": 1767571200000000, "permissions": ["usage:write"]}', '2026-01-05 00:00:00+00');

INSERT INTO credit_allocations VALUES ('ada', 3, 500, 500, 0, 0, 0, 0, 'shop', '2026-01-01 00:00:00+00', '2026-01-01 00:00:00+00', NULL, 'it''s a "note" {with} \ everything — ok', NULL, NULL, DEFAULT);
INSERT INTO credit_allocations VALUES ('ada', 4, 77, 77, 0, 0, 0, 0, 'admin', '2026-01-01 00:00:00+00', '2026-01-31 00:00:00+00', '2026-04-01 00:00:00+00', '', NULL, NULL, DEFAULT);
INSERT INTO credit_allocations VALUES ('ada', 1, 50, 0, 0, 50, 0, 0, 'admin', '2026-01-01 00:00:00+00', '2026-01-01 00:00:00+00', '2026-01-02 00:00:00+00', '', NULL, NULL, DEFAULT);
INSERT INTO credit_allocations VALUES ('zoë', 1, 150, 0, 0, 150, 0, 0, 'admin', '2026-01-01 03:01:00+00', '2026-01-01 03:01:00+00', '2027-02-05 03:01:00+00', '', NULL, NULL, DEFAULT);
INSERT INTO credit_allocations VALUES ('ada', 2, 290, 0, 0, 162, 128, 0, 'admin', '2026-01-01 00:00:00+00', '2026-01-01 00:00:00+00', '2026-01-21 00:00:00+00', '', '2026-01-01 03:01:00+00', 'admin', DEFAULT);
INSERT INTO credit_allocations VALUES ('bob', 1, 200, 159, 26, 15, 0, 0, 'admin', '2026-01-01 03:01:00+00', '2026-01-01 03:01:00+00', '2026-01-06 03:01:00+00', '', NULL, NULL, DEFAULT);
INSERT INTO credit_allocations VALUES ('zoë', 3, 37, 37, 0, 0, 0, 0, 'system', '2026-01-04 05:01:00+00', '2026-01-04 05:01:00+00', '2026-02-03 05:01:00+00', 'Refund from streaming session moved', NULL, NULL, DEFAULT);
INSERT INTO credit_allocations VALUES ('zoë', 2, 600, 295, 196, 72, 0, 37, 'admin', '2026-01-04 05:01:00+00', '2026-01-04 05:01:00+00', '2027-02-08 05:01:00+00', '', NULL, NULL, DEFAULT);

INSERT INTO credit_entries VALUES ('ada', 1, 1, 'allocate', 50, 0, NULL, NULL, 'host', '2026-01-01 00:00:00+00', 'ccacad7be1edf6357006ed05ea72c88122da58eb072ee2b5db7d03e0c0f7037b');
INSERT INTO credit_entries VALUES ('ada', 2, 2, 'allocate', 290, 0, NULL, NULL, 'host', '2026-01-01 00:00:00+00', '425464ad318c004e920667cfc3ec551dd4a331f0021b31bdb32b799b857f4e9e');
INSERT INTO credit_entries VALUES ('ada', 3, 3, 'allocate', 500, 0, NULL, NULL, 'host', '2026-01-01 00:00:00+00', '5b9180c3b39e5c0d6253c99ec4ade3a1c10880c8884fafa5eeb8afa6e507dbd7');
INSERT INTO credit_entries VALUES ('ada', 4, 4, 'allocate', 77, 0, NULL, NULL, 'host', '2026-01-01 00:00:00+00', '996c56ffad9f82f4698f73e6e96788973e29267855c00321cc93e9018ba5b205');
INSERT INTO credit_entries VALUES ('ada', 5, 1, 'deduct', -30, 0, NULL, NULL, 'host', '2026-01-01 03:00:00+00', '2008536d70055a3dd41bcd6a92ee0207870de15ec9c3ca3bce04aa4ca4aa63bd');
INSERT INTO credit_entries VALUES ('ada', 6, 1, 'charge', -20, 0, NULL, 1, 'host', '2026-01-01 03:00:00+00', 'b4e504a268db4d77b52c2a896feae66b16bdd963f19a8d6bc39bc1a61827036a');
INSERT INTO credit_entries VALUES ('ada', 7, 2, 'charge', -100, 0, NULL, 1, 'host', '2026-01-01 03:00:00+00', '97311851f3a7f001ed243fa57895b615933ae1399d67d95d5da1a476b5ad8b82');
INSERT INTO credit_entries VALUES ('ada', 8, 2, 'hold', -72, 72, 'done', NULL, 'host', '2026-01-01 03:00:00+00', 'bb3d764dc20a8ab18009abf34c5df335adf85236e85839e8dbbd74eb64f75e99');
INSERT INTO credit_entries VALUES ('ada', 9, 2, 'hold', -36, 36, 'failed', NULL, 'host', '2026-01-01 03:00:00+00', 'b9bfb2d5ab864fbe73fe26e2881b16172b33d635f158d5920322dbd4fa16ace9');
INSERT INTO credit_entries VALUES ('ada', 10, 2, 'hold', -12, 12, 'long', NULL, 'host', '2026-01-01 03:00:00+00', 'd409e2baaadad8959110e778ebcca6ba414215bb1124fdb00ac720504ab74a96');
INSERT INTO credit_entries VALUES ('ada', 11, 2, 'hold', -48, 48, 'long', NULL, 'host', '2026-01-01 03:01:00+00', '5557b28b0ab35a98327bbaa96c4d51d4af439c1795d9eeefe00c9958e535241f');
INSERT INTO credit_entries VALUES ('ada', 12, 2, 'settle', 0, -35, 'done', 2, 'host', '2026-01-01 03:01:00+00', '4ba9fa9e6f5ec0b033f0218d4a2bf890e2b99e454bde9d558cfa9309910d602f');
INSERT INTO credit_entries VALUES ('ada', 13, 2, 'refund', 37, -37, 'done', 2, 'host', '2026-01-01 03:01:00+00', '33b342d08dc065f37f220995af6b4271beda964aefadd28af0d63c46e7e7cc7d');
INSERT INTO credit_entries VALUES ('ada', 14, 2, 'settle', 0, -15, 'failed', 3, 'host', '2026-01-01 03:01:00+00', 'ab4e89c56c74b456cc9073e9e3b8c85f3e06c9e26406dd5b8850bc7fbb34b1be');
INSERT INTO credit_entries VALUES ('ada', 15, 2, 'refund', 21, -21, 'failed', 3, 'host', '2026-01-01 03:01:00+00', '590e3127ffe79a0f96954f32decf4a7f27e5dc78b1a876a4fb38dad7b0ea4fc5');
INSERT INTO credit_entries VALUES ('ada', 16, 2, 'revoke', -80, 0, NULL, NULL, 'host', '2026-01-01 03:01:00+00', '84849afd20aba714fad3dce263d040cd281e656d5894057fdd940c0af84cea6e');
INSERT INTO credit_entries VALUES ('bob', 1, 1, 'allocate', 200, 0, NULL, NULL, 'host', '2026-01-01 03:01:00+00', '486e2016ffc3b668a394b9487de7718ee59b9a25f42812fd8caa26d93e78371c');
INSERT INTO credit_entries VALUES ('zoë', 1, 1, 'allocate', 150, 0, NULL, NULL, 'host', '2026-01-01 03:01:00+00', '7e0a2346ef16616a31e09b5c22688f55ca9567f845e222ddb8d9295b0a2c0343');
INSERT INTO credit_entries VALUES ('bob', 2, 1, 'hold', -48, 48, 'stopped', NULL, 'host', '2026-01-01 03:01:00+00', '6b3ef26fc685d7ef483f38e2fca4422c7271b9256d31b065e64f22fa325dc8a7');
INSERT INTO credit_entries VALUES ('bob', 3, 1, 'hold', -30, 30, 'stale', NULL, 'host', '2026-01-01 03:01:00+00', '44784c335e8e5f7e78f47cd377c61e630883331f30cf48a9915d9b43ba767797');
INSERT INTO credit_entries VALUES ('bob', 4, 1, 'settle', 0, -9, 'stopped', 2, 'host', '2026-01-01 03:01:00+00', 'a8a37f5ad977aca4b2fb519edab251f961679fa939d976579176f0b2847d40ac');
INSERT INTO credit_entries VALUES ('bob', 5, 1, 'refund', 39, -39, 'stopped', 2, 'host', '2026-01-01 03:01:00+00', 'ab4508f1037cc1b342f9a654050d41c0fcc326cb4050e2027e10244ce23859e9');
INSERT INTO credit_entries VALUES ('zoë', 2, 1, 'hold', -60, 60, 'over', NULL, 'host', '2026-01-01 03:01:00+00', 'ce19c79caa41a530dba7479decab1130133e0a8a90563a42e3ab92ca79644368');
INSERT INTO credit_entries VALUES ('zoë', 3, 1, 'settle', 0, -60, 'over', 1, 'host', '2026-01-01 03:01:00+00', '8b16eaa772c5498c214f287aeba8640122766af1ee804697e317a77153570b33');
INSERT INTO credit_entries VALUES ('zoë', 4, 1, 'overage', -90, 0, 'over', 1, 'host', '2026-01-01 03:01:00+00', 'df8823917405f17a342bebed9f8b73b562316efb15599b7c5e10cbf4f66f1139');
INSERT INTO credit_entries VALUES ('ada', 17, 2, 'settle', 0, -12, 'long', 4, 'host', '2026-01-01 05:01:00+00', '2b604cdb1540717e2e23f706f47cdea0bf6d795222b0ec99675a222e7b9563b4');
INSERT INTO credit_entries VALUES ('ada', 18, 2, 'refund', 48, -48, 'long', 4, 'host', '2026-01-01 05:01:00+00', 'cee76646e113be9eed187efd0c20cf98c2a21fa0116f8e0dcfd5dc3d17127a37');
INSERT INTO credit_entries VALUES ('ada', 19, 2, 'revoke', -48, 0, 'long', 4, 'host', '2026-01-01 05:01:00+00', '30533b20ee931deaf45525ea538d17427547ca466d9d7d0150218da4b6b5933e');
INSERT INTO credit_entries VALUES ('bob', 6, 1, 'settle', 0, -6, 'stale', 3, 'host', '2026-01-01 05:01:00+00', '22193e97acae453d52a18d7998e710d8e098a2a8be68de0cd8f55cef095cc851');
INSERT INTO credit_entries VALUES ('bob', 7, 1, 'refund', 24, -24, 'stale', 3, 'host', '2026-01-01 05:01:00+00', 'b968f91023bd4c2b3226836161e3cd399aaebddb46e092f5e184cbc2494e6e6a');
INSERT INTO credit_entries VALUES ('zoë', 5, 2, 'allocate', 600, 0, NULL, NULL, 'host', '2026-01-04 05:01:00+00', '5c046cd8d76f58ce39b5c4e381780297c8ba0b985595a6664a686fd797f2ae1f');
INSERT INTO credit_entries VALUES ('zoë', 6, 2, 'hold', -146, 146, 'open', NULL, 'host', '2026-01-04 05:01:00+00', 'e5350572d0fe9d09520de9c186e76cccede166dad741ddbeeb87295f234c6840');
INSERT INTO credit_entries VALUES ('bob', 8, 1, 'hold', -26, 26, 'open', NULL, 'host', '2026-01-04 05:01:00+00', '879a4d9e9c6bee02dc80ff6e5e1c7bacff4a244982714e39a0c787079f99686e');
INSERT INTO credit_entries VALUES ('zoë', 7, 2, 'charge', -11, 0, NULL, 2, 'host', '2026-01-04 05:01:00+00', 'ac0ba9331deadaf07d3f0bbd96842dd26c90f08ea32c988ee6f847f6c1f7d636');
INSERT INTO credit_entries VALUES ('zoë', 8, 2, 'hold', -98, 98, 'moved', NULL, 'host', '2026-01-04 05:01:00+00', '938125638f95370853907884da2c0c3e8a23a3664875509e2393642e36c66842');
INSERT INTO credit_entries VALUES ('zoë', 9, 2, 'hold', -50, 50, 'moving', NULL, 'host', '2026-01-04 05:01:00+00', '4f2865e4526131eb7782dc1bed3dc105925917f7cd9336cf0c74ab153ffdb560');
INSERT INTO credit_entries VALUES ('zoë', 10, 2, 'settle', 0, -61, 'moved', 3, 'host', '2026-01-04 05:01:00+00', '4a3d1c23c0b5741dd8ac0f3a191c63e3861befefad97e07d7d2823e6cdfb21e0');
INSERT INTO credit_entries VALUES ('zoë', 11, 2, 'move', 0, -37, 'moved', 3, 'host', '2026-01-04 05:01:00+00', '99dd384822754a7c80f9136569660dd1e4f1d6a4dc048f7ac5fa2c49be0eace4');
INSERT INTO credit_entries VALUES ('zoë', 12, 3, 'allocate', 37, 0, 'moved', 3, 'host', '2026-01-04 05:01:00+00', 'cffa558e398b665bd38038b04edc51112575955b0733c40ea0cbd1cfa6225321');

INSERT INTO idempotency_keys VALUES ('ada', 'order-1', 'allocate', 'a4eeb4588ecaa09543d602969fdd04064f1df82328e1e6d67c90c6c486bc021a', '{"entry": 3, "expires_at": null, "allocated_at": 1767225600000000, "effective_at": 1767225600000000, "allocation_id": 3}', '2026-01-01 00:00:00+00');
INSERT INTO idempotency_keys VALUES ('ada', 'fee-1', 'deduct', '5436cc4750cf070868dc8194674f290f21aa7d184577bb0b5b694093da216ecd', '{"entry": 5, "slices": [[1, 30]]}', '2026-01-01 03:00:00+00');
INSERT INTO idempotency_keys VALUES ('ada', 'image-1', 'charge', 'e72561902cf443c7b40ccc7da3c8748517f77888411138efbc9d2b21b31e7950', '{"entry": 7, "slices": [[1, 20], [2, 100]], "usage_id": 1, "timestamp": 1767236400000000}', '2026-01-01 03:00:00+00');
INSERT INTO idempotency_keys VALUES ('ada', 'more-1', 'extend', '7063fd3988ba74f0b7f478d1b9e8cb109ff7e458057dcf91036e9bcd274c3f99', '{"entry": 11, "model_id": "big", "expires_at": 1767240060000000, "started_at": 1767236400000000, "reported_tokens": null, "estimated_tokens": 50, "last_activity_at": 1767236460000000, "allocated_credits": 60, "estimated_credits": 50}', '2026-01-01 03:01:00+00');
INSERT INTO idempotency_keys VALUES ('bob', 'note-1', 'record', 'bcbeae93501aeb7d804424cf10511e1a69b8b24da2e4559917876776f0ddf18b', '{"usage_id": 1, "timestamp": 1767236460000000}', '2026-01-01 03:01:00+00');

INSERT INTO pricing_rules VALUES ('small', 1, 1000.0000000000, NULL, NULL, NULL, '2026-01-01 00:00:00+00', NULL, 'admin');
INSERT INTO pricing_rules VALUES ('big', 1, 1000.0000000000, NULL, NULL, NULL, '2026-01-01 00:00:00+00', '2026-01-03 00:00:00+00', 'admin');
INSERT INTO pricing_rules VALUES ('big', 2, 2000.5000000000, 1000.0000000001, 3000.0000000000, NULL, '2026-01-03 00:00:00+00', NULL, 'admin');

INSERT INTO session_slices VALUES ('ada', 'done', 1, 2, 72);
INSERT INTO session_slices VALUES ('ada', 'failed', 1, 2, 36);
INSERT INTO session_slices VALUES ('ada', 'long', 1, 2, 12);
INSERT INTO session_slices VALUES ('ada', 'long', 2, 2, 48);
INSERT INTO session_slices VALUES ('bob', 'stopped', 1, 1, 48);
INSERT INTO session_slices VALUES ('bob', 'stale', 1, 1, 30);
INSERT INTO session_slices VALUES ('zoë', 'over', 1, 1, 60);
INSERT INTO session_slices VALUES ('zoë', 'open', 1, 2, 146);
INSERT INTO session_slices VALUES ('bob', 'open', 1, 1, 26);
INSERT INTO session_slices VALUES ('zoë', 'moved', 1, 2, 98);
INSERT INTO session_slices VALUES ('zoë', 'moving', 1, 2, 50);

INSERT INTO streaming_sessions VALUES ('ada', 'done', 'big', 60, 72, 35, 'completed', '2026-01-01 03:00:00+00', '2026-01-01 03:01:00+00', '2026-01-01 03:00:00+00', '2026-01-01 04:00:00+00', '{"input": 20, "output": 20, "cached_input": 20}', '{"input": 20, "output": 20, "cached_input": 20}', NULL, '{"input": 10, "output": 20, "cached_input": 5}', '{"input": null, "output": null, "cached_input": null, "price_per_1k_tokens": "1000"}', '{"buffer": 2000, "refund": "to_source", "overage": "charge", "session_ttl": 3600000000, "refund_expiry_days": 30}', 2, 37, 0, 0);
INSERT INTO streaming_sessions VALUES ('ada', 'failed', 'big', 30, 36, 15, 'failed', '2026-01-01 03:00:00+00', '2026-01-01 03:01:00+00', '2026-01-01 03:00:00+00', '2026-01-01 04:00:00+00', '30', '30', NULL, '15', '{"input": null, "output": null, "cached_input": null, "price_per_1k_tokens": "1000"}', '{"buffer": 2000, "refund": "to_source", "overage": "charge", "session_ttl": 3600000000, "refund_expiry_days": 30}', 3, 21, 0, 0);
INSERT INTO streaming_sessions VALUES ('bob', 'stopped', 'big', 40, 48, 9, 'aborted', '2026-01-01 03:01:00+00', '2026-01-01 03:01:00+00', '2026-01-01 03:01:00+00', '2026-01-01 04:01:00+00', '40', '40', NULL, '9', '{"input": null, "output": null, "cached_input": null, "price_per_1k_tokens": "1000"}', '{"buffer": 2000, "refund": "to_source", "overage": "charge", "session_ttl": 3600000000, "refund_expiry_days": 30}', 2, 39, 0, 0);
INSERT INTO streaming_sessions VALUES ('zoë', 'over', 'big', 50, 60, 400, 'completed', '2026-01-01 03:01:00+00', '2026-01-01 03:01:00+00', '2026-01-01 03:01:00+00', '2026-01-01 04:01:00+00', '50', '50', NULL, '400', '{"input": null, "output": null, "cached_input": null, "price_per_1k_tokens": "1000"}', '{"buffer": 2000, "refund": "to_source", "overage": "charge", "session_ttl": 3600000000, "refund_expiry_days": 30}', 1, 0, 340, 250);
INSERT INTO streaming_sessions VALUES ('ada', 'long', 'big', 50, 60, 12, 'expired', '2026-01-01 03:00:00+00', '2026-01-01 05:01:00+00', '2026-01-01 03:01:00+00', '2026-01-01 04:01:00+00', '10', '50', '12', '12', '{"input": null, "output": null, "cached_input": null, "price_per_1k_tokens": "1000"}', '{"buffer": 2000, "refund": "to_source", "overage": "charge", "session_ttl": 3600000000, "refund_expiry_days": 30}', 4, 48, 0, 0);
INSERT INTO streaming_sessions VALUES ('bob', 'stale', 'big', 25, 30, 6, 'expired', '2026-01-01 03:01:00+00', '2026-01-01 05:01:00+00', '2026-01-01 03:01:00+00', '2026-01-01 04:01:00+00', '25', '25', '6', '6', '{"input": null, "output": null, "cached_input": null, "price_per_1k_tokens": "1000"}', '{"buffer": 2000, "refund": "to_source", "overage": "charge", "session_ttl": 3600000000, "refund_expiry_days": 30}', 3, 24, 0, 0);
INSERT INTO streaming_sessions VALUES ('zoë', 'open', 'big', 121, 146, 0, 'active', '2026-01-04 05:01:00+00', NULL, '2026-01-04 05:01:00+00', '2026-01-04 06:01:00+00', '60', '60', NULL, NULL, '{"input": "1000.0000000001", "output": "3000", "cached_input": null, "price_per_1k_tokens": "2000.5"}', '{"buffer": 2000, "refund": "to_source", "overage": "charge", "session_ttl": 3600000000, "refund_expiry_days": 30}', NULL, 0, 0, 0);
INSERT INTO streaming_sessions VALUES ('bob', 'open', 'big', 21, 26, 0, 'active', '2026-01-04 05:01:00+00', NULL, '2026-01-04 05:01:00+00', '2026-01-04 06:01:00+00', '10', '10', NULL, NULL, '{"input": "1000.0000000001", "output": "3000", "cached_input": null, "price_per_1k_tokens": "2000.5"}', '{"buffer": 2000, "refund": "to_source", "overage": "charge", "session_ttl": 3600000000, "refund_expiry_days": 30}', NULL, 0, 0, 0);
INSERT INTO streaming_sessions VALUES ('zoë', 'moving', 'big', 41, 50, 0, 'active', '2026-01-04 05:01:00+00', NULL, '2026-01-04 05:01:00+00', '2026-01-04 06:01:00+00', '20', '20', NULL, NULL, '{"input": "1000.0000000001", "output": "3000", "cached_input": null, "price_per_1k_tokens": "2000.5"}', '{"buffer": 2000, "refund": "new_allocation", "overage": "absorb", "session_ttl": 3600000000, "refund_expiry_days": 30}', NULL, 0, 0, 0);
INSERT INTO streaming_sessions VALUES ('zoë', 'moved', 'big', 81, 98, 61, 'completed', '2026-01-04 05:01:00+00', '2026-01-04 05:01:00+00', '2026-01-04 05:01:00+00', '2026-01-04 06:01:00+00', '40', '40', NULL, '30', '{"input": "1000.0000000001", "output": "3000", "cached_input": null, "price_per_1k_tokens": "2000.5"}', '{"buffer": 2000, "refund": "new_allocation", "overage": "absorb", "session_ttl": 3600000000, "refund_expiry_days": 30}', 3, 37, 0, 0);

INSERT INTO usage_records VALUES ('ada', 1, '2026-01-01 03:00:00+00', 'images', 'one', 120, 120, '{"n": [1, 2], "é": null, "size": "1024"}');
INSERT INTO usage_records VALUES ('ada', 2, '2026-01-01 03:01:00+00', 'chat-streaming', 'big', 35, 35, '{"tokens": {"input": 10, "output": 20, "cached_input": 5}, "duration": 60.0, "session_id": "done", "estimated_credits": 60}');
INSERT INTO usage_records VALUES ('ada', 3, '2026-01-01 03:01:00+00', 'chat-streaming-failed', 'big', 15, 15, '{"tokens": 15, "duration": 60.0, "session_id": "failed", "estimated_credits": 30}');
INSERT INTO usage_records VALUES ('bob', 1, '2026-01-01 03:01:00+00', 'search', 'web', 7, 0, NULL);
INSERT INTO usage_records VALUES ('bob', 2, '2026-01-01 03:01:00+00', 'chat-streaming-aborted', 'big', 9, 9, '{"tokens": 9, "duration": 0.0, "session_id": "stopped", "estimated_credits": 40}');
INSERT INTO usage_records VALUES ('zoë', 1, '2026-01-01 03:01:00+00', 'chat-streaming', 'big', 400, 150, '{"tokens": 400, "duration": 0.0, "session_id": "over", "estimated_credits": 50}');
INSERT INTO usage_records VALUES ('ada', 4, '2026-01-01 05:01:00+00', 'chat-streaming-expired', 'big', 12, 12, '{"tokens": 12, "duration": 7260.0, "session_id": "long", "estimated_credits": 50}');
INSERT INTO usage_records VALUES ('bob', 3, '2026-01-01 05:01:00+00', 'chat-streaming-expired', 'big', 6, 6, '{"tokens": 6, "duration": 7200.0, "session_id": "stale", "estimated_credits": 25}');
INSERT INTO usage_records VALUES ('zoë', 2, '2026-01-04 05:01:00+00', 'chat', 'small', 11, 11, NULL);
INSERT INTO usage_records VALUES ('zoë', 3, '2026-01-04 05:01:00+00', 'chat-streaming', 'big', 61, 61, '{"tokens": 30, "duration": 0.0, "session_id": "moved", "estimated_credits": 81}');

INSERT INTO usage_rollups VALUES ('ada', '2026-01-01', 'images', '', 1, 120);
INSERT INTO usage_rollups VALUES ('ada', '2026-01-01', 'chat-streaming', 'big', 1, 35);
INSERT INTO usage_rollups VALUES ('ada', '2026-01-01', 'chat-streaming-failed', 'big', 1, 15);
INSERT INTO usage_rollups VALUES ('bob', '2026-01-01', 'search', '', 1, 7);
INSERT INTO usage_rollups VALUES ('bob', '2026-01-01', 'chat-streaming-aborted', 'big', 1, 9);
INSERT INTO usage_rollups VALUES ('zoë', '2026-01-01', 'chat-streaming', 'big', 1, 400);
INSERT INTO usage_rollups VALUES ('ada', '2026-01-01', 'chat-streaming-expired', 'big', 1, 12);
INSERT INTO usage_rollups VALUES ('bob', '2026-01-01', 'chat-streaming-expired', 'big', 1, 6);
INSERT INTO usage_rollups VALUES ('zoë', '2026-01-04', 'chat', 'small', 1, 11);
INSERT INTO usage_rollups VALUES ('zoë', '2026-01-04', 'chat-streaming', 'big', 1, 61);

INSERT INTO user_accounts VALUES ('zoë', 'zoë@example.org', 'User zoë', 'user', '2026-01-01 00:00:00+00', '2026-01-01 00:00:00+00', 3, 3, 12, 750, 472, 'cffa558e398b665bd38038b04edc51112575955b0733c40ea0cbd1cfa6225321');
INSERT INTO user_accounts VALUES ('ada', 'ada@example.org', 'User ada', 'user', '2026-01-01 00:00:00+00', '2026-01-01 00:00:00+00', 4, 4, 19, 917, 182, '30533b20ee931deaf45525ea538d17427547ca466d9d7d0150218da4b6b5933e');
INSERT INTO user_accounts VALUES ('bob', 'bob@example.org', 'User bob', 'supervisor', '2026-01-01 00:00:00+00', '2026-01-01 00:00:00+00', 1, 3, 8, 200, 22, '879a4d9e9c6bee02dc80ff6e5e1c7bacff4a244982714e39a0c787079f99686e');

ALTER TABLE ONLY accounting_locks
    ADD CONSTRAINT accounting_locks_pkey PRIMARY KEY (name);

ALTER TABLE ONLY accounting_migrations
    ADD CONSTRAINT accounting_migrations_pkey PRIMARY KEY (version);

ALTER TABLE ONLY api_keys
    ADD CONSTRAINT api_keys_pkey PRIMARY KEY (key_hash);

ALTER TABLE ONLY api_keys
    ADD CONSTRAINT api_keys_user_id_id_key UNIQUE (user_id, id);

ALTER TABLE ONLY audit_entries
    ADD CONSTRAINT audit_entries_pkey PRIMARY KEY (user_id, id);

ALTER TABLE ONLY credit_allocations
    ADD CONSTRAINT credit_allocations_pkey PRIMARY KEY (user_id, id);

ALTER TABLE credit_entries
    ADD CONSTRAINT credit_entries_are_chained CHECK ((hash IS NOT NULL)) NOT VALID;

ALTER TABLE ONLY credit_entries
    ADD CONSTRAINT credit_entries_pkey PRIMARY KEY (user_id, sequence);

ALTER TABLE ONLY idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, idempotency_key);

ALTER TABLE ONLY pricing_rules
    ADD CONSTRAINT pricing_rules_model_id_effective_from_key UNIQUE (model_id, effective_from);

ALTER TABLE ONLY pricing_rules
    ADD CONSTRAINT pricing_rules_pkey PRIMARY KEY (model_id, id);

ALTER TABLE ONLY session_slices
    ADD CONSTRAINT session_slices_pkey PRIMARY KEY (user_id, session_id, "position");

ALTER TABLE ONLY streaming_sessions
    ADD CONSTRAINT streaming_sessions_pkey PRIMARY KEY (user_id, session_id);

ALTER TABLE ONLY usage_records
    ADD CONSTRAINT usage_records_pkey PRIMARY KEY (user_id, id);

ALTER TABLE ONLY usage_rollups
    ADD CONSTRAINT usage_rollups_pkey PRIMARY KEY (user_id, day, service, model);

ALTER TABLE ONLY user_accounts
    ADD CONSTRAINT user_accounts_pkey PRIMARY KEY (user_id);

CREATE INDEX idx_account_created ON user_accounts USING btree (created_at, user_id);

CREATE INDEX idx_audit_created ON audit_entries USING btree (created_at, user_id, id);

CREATE INDEX idx_credit_user_expiry ON credit_allocations USING btree (user_id, expires_at, allocated_at, id) WHERE active;

CREATE INDEX idx_rollup_day ON usage_rollups USING btree (day);

CREATE INDEX idx_streaming_stale ON streaming_sessions USING btree (expires_at) WHERE ((status)::text = 'active'::text);

CREATE INDEX idx_streaming_user_status ON streaming_sessions USING btree (user_id, started_at, session_id) WHERE ((status)::text = 'active'::text);

CREATE INDEX idx_usage_timestamp ON usage_records USING btree ("timestamp");

CREATE INDEX idx_usage_user_timestamp ON usage_records USING btree (user_id, "timestamp", id);

CREATE TRIGGER audit_entries_are_final BEFORE DELETE OR UPDATE ON audit_entries FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();

CREATE TRIGGER audit_entries_are_kept BEFORE TRUNCATE ON audit_entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

CREATE TRIGGER credit_entries_are_final BEFORE DELETE OR UPDATE ON credit_entries FOR EACH ROW EXECUTE FUNCTION refuse_journal_change();

CREATE TRIGGER credit_entries_are_kept BEFORE TRUNCATE ON credit_entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_journal_change();

ALTER TABLE ONLY credit_allocations
    ADD CONSTRAINT credit_allocations_user_id_fkey FOREIGN KEY (user_id) REFERENCES user_accounts(user_id);

ALTER TABLE ONLY credit_entries
    ADD CONSTRAINT credit_entries_user_id_allocation_id_fkey FOREIGN KEY (user_id, allocation_id) REFERENCES credit_allocations(user_id, id);

ALTER TABLE ONLY idempotency_keys
    ADD CONSTRAINT idempotency_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES user_accounts(user_id);

ALTER TABLE ONLY session_slices
    ADD CONSTRAINT session_slices_user_id_allocation_id_fkey FOREIGN KEY (user_id, allocation_id) REFERENCES credit_allocations(user_id, id);

ALTER TABLE ONLY session_slices
    ADD CONSTRAINT session_slices_user_id_session_id_fkey FOREIGN KEY (user_id, session_id) REFERENCES streaming_sessions(user_id, session_id);

ALTER TABLE ONLY streaming_sessions
    ADD CONSTRAINT streaming_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES user_accounts(user_id);

ALTER TABLE ONLY usage_records
    ADD CONSTRAINT usage_records_user_id_fkey FOREIGN KEY (user_id) REFERENCES user_accounts(user_id);

ALTER TABLE ONLY usage_rollups
    ADD CONSTRAINT usage_rollups_user_id_fkey FOREIGN KEY (user_id) REFERENCES user_accounts(user_id);

