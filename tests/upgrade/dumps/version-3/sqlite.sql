PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE accounting_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT;
INSERT INTO accounting_migrations VALUES(1,'ledger','3eafdde4da1ab0a93d75872845d2981097d183f678ebc9e9c53bb60296feed82',1767225600000000);
INSERT INTO accounting_migrations VALUES(2,'identity','7faf19adbce6516b3e5cdfdf6548af8100198b79798eac91a730cf9af7a22b20',1767225600000000);
INSERT INTO accounting_migrations VALUES(3,'hash_chain','bff5bd702cf6d1d8ea03950452f3654afcac308d43d3fd2704aadf7a1697b900',1767225600000000);
CREATE TABLE accounting_locks (name TEXT PRIMARY KEY) STRICT;
INSERT INTO accounting_locks VALUES('migrations');
INSERT INTO accounting_locks VALUES('pricing');
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
  used_credits INTEGER NOT NULL DEFAULT 0, last_entry_hash TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (user_id),
  CHECK (role IN ('user', 'supervisor', 'admin')),
  CHECK (allocated_credits >= 0),
  CHECK (used_credits >= 0)
) STRICT;
INSERT INTO user_accounts VALUES('ada','ada@example.org','User ada','user',1767225600000000,1767225600000000,4,4,19,917,182,'30533b20ee931deaf45525ea538d17427547ca466d9d7d0150218da4b6b5933e');
INSERT INTO user_accounts VALUES('bob','bob@example.org','User bob','supervisor',1767225600000000,1767225600000000,1,3,8,200,22,'879a4d9e9c6bee02dc80ff6e5e1c7bacff4a244982714e39a0c787079f99686e');
INSERT INTO user_accounts VALUES('zoë','zoë@example.org','User zoë','user',1767225600000000,1767225600000000,3,3,12,750,472,'cffa558e398b665bd38038b04edc51112575955b0733c40ea0cbd1cfa6225321');
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
INSERT INTO credit_allocations VALUES('ada',1,50,0,0,50,0,0,'admin',1767225600000000,1767225600000000,1767312000000000,'',NULL,NULL);
INSERT INTO credit_allocations VALUES('ada',2,290,0,0,162,128,0,'admin',1767225600000000,1767225600000000,1768953600000000,'',1767236460000000,'admin');
INSERT INTO credit_allocations VALUES('ada',3,500,500,0,0,0,0,'shop',1767225600000000,1767225600000000,NULL,'it''s a "note" {with} \ everything — ok',NULL,NULL);
INSERT INTO credit_allocations VALUES('ada',4,77,77,0,0,0,0,'admin',1767225600000000,1769817600000000,1775001600000000,'',NULL,NULL);
INSERT INTO credit_allocations VALUES('bob',1,200,159,26,15,0,0,'admin',1767236460000000,1767236460000000,1767668460000000,'',NULL,NULL);
INSERT INTO credit_allocations VALUES('zoë',1,150,0,0,150,0,0,'admin',1767236460000000,1767236460000000,1801796460000000,'',NULL,NULL);
INSERT INTO credit_allocations VALUES('zoë',2,600,295,196,72,0,37,'admin',1767502860000000,1767502860000000,1802062860000000,'',NULL,NULL);
INSERT INTO credit_allocations VALUES('zoë',3,37,37,0,0,0,0,'system',1767502860000000,1767502860000000,1770094860000000,'Refund from streaming session moved',NULL,NULL);
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
INSERT INTO streaming_sessions VALUES('ada','done','big',60,72,35,'completed',1767236400000000,1767236460000000,1767236400000000,1767240000000000,'{"cached_input":20,"input":20,"output":20}','{"cached_input":20,"input":20,"output":20}',NULL,'{"cached_input":5,"input":10,"output":20}','{"cached_input":null,"input":null,"output":null,"price_per_1k_tokens":"1000"}','{"buffer":2000,"overage":"charge","refund":"to_source","refund_expiry_days":30,"session_ttl":3600000000}',2,37,0,0);
INSERT INTO streaming_sessions VALUES('ada','failed','big',30,36,15,'failed',1767236400000000,1767236460000000,1767236400000000,1767240000000000,'30','30',NULL,'15','{"cached_input":null,"input":null,"output":null,"price_per_1k_tokens":"1000"}','{"buffer":2000,"overage":"charge","refund":"to_source","refund_expiry_days":30,"session_ttl":3600000000}',3,21,0,0);
INSERT INTO streaming_sessions VALUES('ada','long','big',50,60,12,'expired',1767236400000000,1767243660000000,1767236460000000,1767240060000000,'10','50','12','12','{"cached_input":null,"input":null,"output":null,"price_per_1k_tokens":"1000"}','{"buffer":2000,"overage":"charge","refund":"to_source","refund_expiry_days":30,"session_ttl":3600000000}',4,48,0,0);
INSERT INTO streaming_sessions VALUES('bob','stopped','big',40,48,9,'aborted',1767236460000000,1767236460000000,1767236460000000,1767240060000000,'40','40',NULL,'9','{"cached_input":null,"input":null,"output":null,"price_per_1k_tokens":"1000"}','{"buffer":2000,"overage":"charge","refund":"to_source","refund_expiry_days":30,"session_ttl":3600000000}',2,39,0,0);
INSERT INTO streaming_sessions VALUES('bob','stale','big',25,30,6,'expired',1767236460000000,1767243660000000,1767236460000000,1767240060000000,'25','25','6','6','{"cached_input":null,"input":null,"output":null,"price_per_1k_tokens":"1000"}','{"buffer":2000,"overage":"charge","refund":"to_source","refund_expiry_days":30,"session_ttl":3600000000}',3,24,0,0);
INSERT INTO streaming_sessions VALUES('zoë','over','big',50,60,400,'completed',1767236460000000,1767236460000000,1767236460000000,1767240060000000,'50','50',NULL,'400','{"cached_input":null,"input":null,"output":null,"price_per_1k_tokens":"1000"}','{"buffer":2000,"overage":"charge","refund":"to_source","refund_expiry_days":30,"session_ttl":3600000000}',1,0,340,250);
INSERT INTO streaming_sessions VALUES('zoë','open','big',121,146,0,'active',1767502860000000,NULL,1767502860000000,1767506460000000,'60','60',NULL,NULL,'{"cached_input":null,"input":"1000.0000000001","output":"3000","price_per_1k_tokens":"2000.5"}','{"buffer":2000,"overage":"charge","refund":"to_source","refund_expiry_days":30,"session_ttl":3600000000}',NULL,0,0,0);
INSERT INTO streaming_sessions VALUES('bob','open','big',21,26,0,'active',1767502860000000,NULL,1767502860000000,1767506460000000,'10','10',NULL,NULL,'{"cached_input":null,"input":"1000.0000000001","output":"3000","price_per_1k_tokens":"2000.5"}','{"buffer":2000,"overage":"charge","refund":"to_source","refund_expiry_days":30,"session_ttl":3600000000}',NULL,0,0,0);
INSERT INTO streaming_sessions VALUES('zoë','moved','big',81,98,61,'completed',1767502860000000,1767502860000000,1767502860000000,1767506460000000,'40','40',NULL,'30','{"cached_input":null,"input":"1000.0000000001","output":"3000","price_per_1k_tokens":"2000.5"}','{"buffer":2000,"overage":"absorb","refund":"new_allocation","refund_expiry_days":30,"session_ttl":3600000000}',3,37,0,0);
INSERT INTO streaming_sessions VALUES('zoë','moving','big',41,50,0,'active',1767502860000000,NULL,1767502860000000,1767506460000000,'20','20',NULL,NULL,'{"cached_input":null,"input":"1000.0000000001","output":"3000","price_per_1k_tokens":"2000.5"}','{"buffer":2000,"overage":"absorb","refund":"new_allocation","refund_expiry_days":30,"session_ttl":3600000000}',NULL,0,0,0);
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
INSERT INTO session_slices VALUES('ada','done',1,2,72);
INSERT INTO session_slices VALUES('ada','failed',1,2,36);
INSERT INTO session_slices VALUES('ada','long',1,2,12);
INSERT INTO session_slices VALUES('ada','long',2,2,48);
INSERT INTO session_slices VALUES('bob','open',1,1,26);
INSERT INTO session_slices VALUES('bob','stale',1,1,30);
INSERT INTO session_slices VALUES('bob','stopped',1,1,48);
INSERT INTO session_slices VALUES('zoë','moved',1,2,98);
INSERT INTO session_slices VALUES('zoë','moving',1,2,50);
INSERT INTO session_slices VALUES('zoë','open',1,2,146);
INSERT INTO session_slices VALUES('zoë','over',1,1,60);
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
INSERT INTO usage_records VALUES('ada',1,1767236400000000,'images','one',120,120,'{"n":[1,2],"size":"1024","é":null}');
INSERT INTO usage_records VALUES('ada',2,1767236460000000,'chat-streaming','big',35,35,'{"duration":60.0,"estimated_credits":60,"session_id":"done","tokens":{"cached_input":5,"input":10,"output":20}}');
INSERT INTO usage_records VALUES('ada',3,1767236460000000,'chat-streaming-failed','big',15,15,'{"duration":60.0,"estimated_credits":30,"session_id":"failed","tokens":15}');
INSERT INTO usage_records VALUES('bob',1,1767236460000000,'search','web',7,0,NULL);
INSERT INTO usage_records VALUES('bob',2,1767236460000000,'chat-streaming-aborted','big',9,9,'{"duration":0.0,"estimated_credits":40,"session_id":"stopped","tokens":9}');
INSERT INTO usage_records VALUES('zoë',1,1767236460000000,'chat-streaming','big',400,150,'{"duration":0.0,"estimated_credits":50,"session_id":"over","tokens":400}');
INSERT INTO usage_records VALUES('ada',4,1767243660000000,'chat-streaming-expired','big',12,12,'{"duration":7260.0,"estimated_credits":50,"session_id":"long","tokens":12}');
INSERT INTO usage_records VALUES('bob',3,1767243660000000,'chat-streaming-expired','big',6,6,'{"duration":7200.0,"estimated_credits":25,"session_id":"stale","tokens":6}');
INSERT INTO usage_records VALUES('zoë',2,1767502860000000,'chat','small',11,11,NULL);
INSERT INTO usage_records VALUES('zoë',3,1767502860000000,'chat-streaming','big',61,61,'{"duration":0.0,"estimated_credits":81,"session_id":"moved","tokens":30}');
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
  created_at INTEGER NOT NULL, hash TEXT,
  PRIMARY KEY (user_id, sequence),
  FOREIGN KEY (user_id, allocation_id) REFERENCES credit_allocations (user_id, id),
  CHECK (kind IN ('allocate', 'deduct', 'charge', 'hold', 'settle', 'refund', 'move', 'overage',
                  'revoke'))
) STRICT;
INSERT INTO credit_entries VALUES('ada',1,1,'allocate',50,0,NULL,NULL,'host',1767225600000000,'ccacad7be1edf6357006ed05ea72c88122da58eb072ee2b5db7d03e0c0f7037b');
INSERT INTO credit_entries VALUES('ada',2,2,'allocate',290,0,NULL,NULL,'host',1767225600000000,'425464ad318c004e920667cfc3ec551dd4a331f0021b31bdb32b799b857f4e9e');
INSERT INTO credit_entries VALUES('ada',3,3,'allocate',500,0,NULL,NULL,'host',1767225600000000,'5b9180c3b39e5c0d6253c99ec4ade3a1c10880c8884fafa5eeb8afa6e507dbd7');
INSERT INTO credit_entries VALUES('ada',4,4,'allocate',77,0,NULL,NULL,'host',1767225600000000,'996c56ffad9f82f4698f73e6e96788973e29267855c00321cc93e9018ba5b205');
INSERT INTO credit_entries VALUES('ada',5,1,'deduct',-30,0,NULL,NULL,'host',1767236400000000,'2008536d70055a3dd41bcd6a92ee0207870de15ec9c3ca3bce04aa4ca4aa63bd');
INSERT INTO credit_entries VALUES('ada',6,1,'charge',-20,0,NULL,1,'host',1767236400000000,'b4e504a268db4d77b52c2a896feae66b16bdd963f19a8d6bc39bc1a61827036a');
INSERT INTO credit_entries VALUES('ada',7,2,'charge',-100,0,NULL,1,'host',1767236400000000,'97311851f3a7f001ed243fa57895b615933ae1399d67d95d5da1a476b5ad8b82');
INSERT INTO credit_entries VALUES('ada',8,2,'hold',-72,72,'done',NULL,'host',1767236400000000,'bb3d764dc20a8ab18009abf34c5df335adf85236e85839e8dbbd74eb64f75e99');
INSERT INTO credit_entries VALUES('ada',9,2,'hold',-36,36,'failed',NULL,'host',1767236400000000,'b9bfb2d5ab864fbe73fe26e2881b16172b33d635f158d5920322dbd4fa16ace9');
INSERT INTO credit_entries VALUES('ada',10,2,'hold',-12,12,'long',NULL,'host',1767236400000000,'d409e2baaadad8959110e778ebcca6ba414215bb1124fdb00ac720504ab74a96');
INSERT INTO credit_entries VALUES('ada',11,2,'hold',-48,48,'long',NULL,'host',1767236460000000,'5557b28b0ab35a98327bbaa96c4d51d4af439c1795d9eeefe00c9958e535241f');
INSERT INTO credit_entries VALUES('ada',12,2,'settle',0,-35,'done',2,'host',1767236460000000,'4ba9fa9e6f5ec0b033f0218d4a2bf890e2b99e454bde9d558cfa9309910d602f');
INSERT INTO credit_entries VALUES('ada',13,2,'refund',37,-37,'done',2,'host',1767236460000000,'33b342d08dc065f37f220995af6b4271beda964aefadd28af0d63c46e7e7cc7d');
INSERT INTO credit_entries VALUES('ada',14,2,'settle',0,-15,'failed',3,'host',1767236460000000,'ab4e89c56c74b456cc9073e9e3b8c85f3e06c9e26406dd5b8850bc7fbb34b1be');
INSERT INTO credit_entries VALUES('ada',15,2,'refund',21,-21,'failed',3,'host',1767236460000000,'590e3127ffe79a0f96954f32decf4a7f27e5dc78b1a876a4fb38dad7b0ea4fc5');
INSERT INTO credit_entries VALUES('ada',16,2,'revoke',-80,0,NULL,NULL,'host',1767236460000000,'84849afd20aba714fad3dce263d040cd281e656d5894057fdd940c0af84cea6e');
INSERT INTO credit_entries VALUES('bob',1,1,'allocate',200,0,NULL,NULL,'host',1767236460000000,'486e2016ffc3b668a394b9487de7718ee59b9a25f42812fd8caa26d93e78371c');
INSERT INTO credit_entries VALUES('zoë',1,1,'allocate',150,0,NULL,NULL,'host',1767236460000000,'7e0a2346ef16616a31e09b5c22688f55ca9567f845e222ddb8d9295b0a2c0343');
INSERT INTO credit_entries VALUES('bob',2,1,'hold',-48,48,'stopped',NULL,'host',1767236460000000,'6b3ef26fc685d7ef483f38e2fca4422c7271b9256d31b065e64f22fa325dc8a7');
INSERT INTO credit_entries VALUES('bob',3,1,'hold',-30,30,'stale',NULL,'host',1767236460000000,'44784c335e8e5f7e78f47cd377c61e630883331f30cf48a9915d9b43ba767797');
INSERT INTO credit_entries VALUES('bob',4,1,'settle',0,-9,'stopped',2,'host',1767236460000000,'a8a37f5ad977aca4b2fb519edab251f961679fa939d976579176f0b2847d40ac');
INSERT INTO credit_entries VALUES('bob',5,1,'refund',39,-39,'stopped',2,'host',1767236460000000,'ab4508f1037cc1b342f9a654050d41c0fcc326cb4050e2027e10244ce23859e9');
INSERT INTO credit_entries VALUES('zoë',2,1,'hold',-60,60,'over',NULL,'host',1767236460000000,'ce19c79caa41a530dba7479decab1130133e0a8a90563a42e3ab92ca79644368');
INSERT INTO credit_entries VALUES('zoë',3,1,'settle',0,-60,'over',1,'host',1767236460000000,'8b16eaa772c5498c214f287aeba8640122766af1ee804697e317a77153570b33');
INSERT INTO credit_entries VALUES('zoë',4,1,'overage',-90,0,'over',1,'host',1767236460000000,'df8823917405f17a342bebed9f8b73b562316efb15599b7c5e10cbf4f66f1139');
INSERT INTO credit_entries VALUES('ada',17,2,'settle',0,-12,'long',4,'host',1767243660000000,'2b604cdb1540717e2e23f706f47cdea0bf6d795222b0ec99675a222e7b9563b4');
INSERT INTO credit_entries VALUES('ada',18,2,'refund',48,-48,'long',4,'host',1767243660000000,'cee76646e113be9eed187efd0c20cf98c2a21fa0116f8e0dcfd5dc3d17127a37');
INSERT INTO credit_entries VALUES('ada',19,2,'revoke',-48,0,'long',4,'host',1767243660000000,'30533b20ee931deaf45525ea538d17427547ca466d9d7d0150218da4b6b5933e');
INSERT INTO credit_entries VALUES('bob',6,1,'settle',0,-6,'stale',3,'host',1767243660000000,'22193e97acae453d52a18d7998e710d8e098a2a8be68de0cd8f55cef095cc851');
INSERT INTO credit_entries VALUES('bob',7,1,'refund',24,-24,'stale',3,'host',1767243660000000,'b968f91023bd4c2b3226836161e3cd399aaebddb46e092f5e184cbc2494e6e6a');
INSERT INTO credit_entries VALUES('zoë',5,2,'allocate',600,0,NULL,NULL,'host',1767502860000000,'5c046cd8d76f58ce39b5c4e381780297c8ba0b985595a6664a686fd797f2ae1f');
INSERT INTO credit_entries VALUES('zoë',6,2,'hold',-146,146,'open',NULL,'host',1767502860000000,'e5350572d0fe9d09520de9c186e76cccede166dad741ddbeeb87295f234c6840');
INSERT INTO credit_entries VALUES('bob',8,1,'hold',-26,26,'open',NULL,'host',1767502860000000,'879a4d9e9c6bee02dc80ff6e5e1c7bacff4a244982714e39a0c787079f99686e');
INSERT INTO credit_entries VALUES('zoë',7,2,'charge',-11,0,NULL,2,'host',1767502860000000,'ac0ba9331deadaf07d3f0bbd96842dd26c90f08ea32c988ee6f847f6c1f7d636');
INSERT INTO credit_entries VALUES('zoë',8,2,'hold',-98,98,'moved',NULL,'host',1767502860000000,'938125638f95370853907884da2c0c3e8a23a3664875509e2393642e36c66842');
INSERT INTO credit_entries VALUES('zoë',9,2,'hold',-50,50,'moving',NULL,'host',1767502860000000,'4f2865e4526131eb7782dc1bed3dc105925917f7cd9336cf0c74ab153ffdb560');
INSERT INTO credit_entries VALUES('zoë',10,2,'settle',0,-61,'moved',3,'host',1767502860000000,'4a3d1c23c0b5741dd8ac0f3a191c63e3861befefad97e07d7d2823e6cdfb21e0');
INSERT INTO credit_entries VALUES('zoë',11,2,'move',0,-37,'moved',3,'host',1767502860000000,'99dd384822754a7c80f9136569660dd1e4f1d6a4dc048f7ac5fa2c49be0eace4');
INSERT INTO credit_entries VALUES('zoë',12,3,'allocate',37,0,'moved',3,'host',1767502860000000,'cffa558e398b665bd38038b04edc51112575955b0733c40ea0cbd1cfa6225321');
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
INSERT INTO idempotency_keys VALUES('ada','order-1','allocate','a4eeb4588ecaa09543d602969fdd04064f1df82328e1e6d67c90c6c486bc021a','{"allocated_at":1767225600000000,"allocation_id":3,"effective_at":1767225600000000,"entry":3,"expires_at":null}',1767225600000000);
INSERT INTO idempotency_keys VALUES('ada','fee-1','deduct','5436cc4750cf070868dc8194674f290f21aa7d184577bb0b5b694093da216ecd','{"entry":5,"slices":[[1,30]]}',1767236400000000);
INSERT INTO idempotency_keys VALUES('ada','image-1','charge','e72561902cf443c7b40ccc7da3c8748517f77888411138efbc9d2b21b31e7950','{"entry":7,"slices":[[1,20],[2,100]],"timestamp":1767236400000000,"usage_id":1}',1767236400000000);
INSERT INTO idempotency_keys VALUES('ada','more-1','extend','7063fd3988ba74f0b7f478d1b9e8cb109ff7e458057dcf91036e9bcd274c3f99','{"allocated_credits":60,"entry":11,"estimated_credits":50,"estimated_tokens":50,"expires_at":1767240060000000,"last_activity_at":1767236460000000,"model_id":"big","reported_tokens":null,"started_at":1767236400000000}',1767236460000000);
INSERT INTO idempotency_keys VALUES('bob','note-1','record','bcbeae93501aeb7d804424cf10511e1a69b8b24da2e4559917876776f0ddf18b','{"timestamp":1767236460000000,"usage_id":1}',1767236460000000);
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
INSERT INTO usage_rollups VALUES('ada','2026-01-01','chat-streaming','big',1,35);
INSERT INTO usage_rollups VALUES('ada','2026-01-01','chat-streaming-expired','big',1,12);
INSERT INTO usage_rollups VALUES('ada','2026-01-01','chat-streaming-failed','big',1,15);
INSERT INTO usage_rollups VALUES('ada','2026-01-01','images','',1,120);
INSERT INTO usage_rollups VALUES('bob','2026-01-01','chat-streaming-aborted','big',1,9);
INSERT INTO usage_rollups VALUES('bob','2026-01-01','chat-streaming-expired','big',1,6);
INSERT INTO usage_rollups VALUES('bob','2026-01-01','search','',1,7);
INSERT INTO usage_rollups VALUES('zoë','2026-01-01','chat-streaming','big',1,400);
INSERT INTO usage_rollups VALUES('zoë','2026-01-04','chat','small',1,11);
INSERT INTO usage_rollups VALUES('zoë','2026-01-04','chat-streaming','big',1,61);
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
INSERT INTO pricing_rules VALUES('big',1,'1000',NULL,NULL,NULL,1767225600000000,1767398400000000,'admin');
INSERT INTO pricing_rules VALUES('small',1,'1000',NULL,NULL,NULL,1767225600000000,NULL,'admin');
INSERT INTO pricing_rules VALUES('big',2,'2000.5','1000.0000000001','3000',NULL,1767398400000000,NULL,'admin');
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
INSERT INTO api_keys VALUES('66ac56f8b03b7f4391745330c1db79464bedb0384b3129a4b36b5ba70b88519f','ada',1,'first','acct','rWzI','["usage:write"]',1,1767571200000000,NULL,NULL,NULL,NULL,NULL);
INSERT INTO api_keys VALUES('0f83ea049d21032c5a9cea188d00512bb7bfebee56c1f5cec0b98fb15d21510c','ada',2,'second','acct','YTMs','["usage:write"]',0,1767571200000000,1770163200000000,NULL,1767571200000000,NULL,2592000000000);
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
INSERT INTO audit_entries VALUES('ada',1,'host','accounts.sync','ada','{"created":true,"email":"ada@example.org","role":"user","username":"User ada"}',1767225600000000);
INSERT INTO audit_entries VALUES('bob',1,'host','accounts.sync','bob','{"created":true,"email":"bob@example.org","role":"supervisor","username":"User bob"}',1767225600000000);
INSERT INTO audit_entries VALUES('zoë',1,'host','accounts.sync','zoë','{"created":true,"email":"zoë@example.org","role":"user","username":"User zoë"}',1767225600000000);
INSERT INTO audit_entries VALUES('',1,'host','pricing.set','big','{"cached_input":null,"created_by":"admin","effective_from":1767225600000000,"effective_to":null,"id":1,"input":null,"output":null,"price_per_1k_tokens":"1000"}',1767225600000000);
INSERT INTO audit_entries VALUES('',2,'host','pricing.set','small','{"cached_input":null,"created_by":"admin","effective_from":1767225600000000,"effective_to":null,"id":1,"input":null,"output":null,"price_per_1k_tokens":"1000"}',1767225600000000);
INSERT INTO audit_entries VALUES('',3,'host','pricing.set','big','{"cached_input":null,"created_by":"admin","effective_from":1767398400000000,"effective_to":null,"id":2,"input":"1000.0000000001","output":"3000","price_per_1k_tokens":"2000.5"}',1767225600000000);
INSERT INTO audit_entries VALUES('ada',2,'host','api_keys.create','1','{"expires_at":null,"is_active":true,"last_four":"rWzI","name":"first","permissions":["usage:write"],"prefix":"acct","revoked_at":null}',1767571200000000);
INSERT INTO audit_entries VALUES('ada',3,'host','api_keys.create','2','{"expires_at":1770163200000000,"is_active":true,"last_four":"YTMs","name":"second","permissions":["usage:write"],"prefix":"acct","revoked_at":null}',1767571200000000);
INSERT INTO audit_entries VALUES('ada',4,'host','api_keys.revoke','2','{"expires_at":1770163200000000,"is_active":false,"last_four":"YTMs","name":"second","permissions":["usage:write"],"prefix":"acct","revoked_at":1767571200000000}',1767571200000000);
CREATE INDEX idx_account_created ON user_accounts (created_at, user_id);
CREATE INDEX idx_credit_user_expiry ON credit_allocations (user_id, expires_at, allocated_at, id)
  WHERE active;
CREATE INDEX idx_streaming_user_status ON streaming_sessions (user_id, started_at, session_id)
  WHERE status = 'active';
CREATE INDEX idx_streaming_stale ON streaming_sessions (expires_at) WHERE status = 'active';
CREATE INDEX idx_usage_user_timestamp ON usage_records (user_id, timestamp, id);
CREATE INDEX idx_usage_timestamp ON usage_records (timestamp);
CREATE TRIGGER credit_entries_are_not_updated BEFORE UPDATE ON credit_entries
BEGIN
  SELECT RAISE(ABORT, 'journal entries are never changed');
END;
CREATE TRIGGER credit_entries_are_not_deleted BEFORE DELETE ON credit_entries
BEGIN
  SELECT RAISE(ABORT, 'journal entries are never changed');
END;
CREATE INDEX idx_rollup_day ON usage_rollups (day);
CREATE INDEX idx_audit_created ON audit_entries (created_at, user_id, id);
CREATE TRIGGER audit_entries_are_not_updated BEFORE UPDATE ON audit_entries
BEGIN
  SELECT RAISE(ABORT, 'audit entries are never changed');
END;
CREATE TRIGGER audit_entries_are_not_deleted BEFORE DELETE ON audit_entries
BEGIN
  SELECT RAISE(ABORT, 'audit entries are never changed');
END;
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
CREATE TRIGGER credit_entries_are_chained BEFORE INSERT ON credit_entries
WHEN NEW.hash IS NULL
BEGIN
  SELECT RAISE(ABORT, 'journal entries carry a hash since version 3 of the schema');
END;
COMMIT;
