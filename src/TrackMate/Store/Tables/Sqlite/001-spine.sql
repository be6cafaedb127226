-- The spine. Times named *_ms are unix milliseconds; `at` is a message's place in time as one number: ms * 2048 + origin * 1024 + index (Bind/EventOrder.cs).
-- Numbers (id) are given in order of arrival, since keys that jump about cost four times as much to write.

CREATE TABLE company (
  id         INTEGER PRIMARY KEY,
  company_id TEXT NOT NULL UNIQUE,
  name       TEXT NOT NULL,
  secret     BLOB NOT NULL,
  settings   TEXT NOT NULL,
  created_ms INTEGER NOT NULL
);

CREATE TABLE api_key (
  id           INTEGER PRIMARY KEY,
  company      INTEGER NOT NULL REFERENCES company,
  name         TEXT NOT NULL,
  shown        TEXT NOT NULL,              -- its first characters, to know it by
  hash         BLOB NOT NULL UNIQUE,       -- SHA-256 of the key; a made key has 190 random bits, so no salt or stretching
  scopes       TEXT NOT NULL,              -- space separated: write read admin
  created_ms   INTEGER NOT NULL,
  revoked_ms   INTEGER
);

CREATE TABLE member (
  name          TEXT PRIMARY KEY,
  password_hash TEXT NOT NULL,
  stamp         TEXT NOT NULL              -- changes with the password, so that older cookies end
) WITHOUT ROWID;

-- Goes up with each change of the tables above, so that a running server sees what another process changed.
CREATE TABLE registry_version (version INTEGER NOT NULL);
INSERT INTO registry_version VALUES (1);

-- What is said. A message is an event (its type is set) or an identify; one space of eventIds for both (B10).
CREATE TABLE message (
  id         INTEGER PRIMARY KEY,
  company    INTEGER NOT NULL,
  origin     INTEGER NOT NULL,             -- 0 browser, 1 server
  event_id   TEXT NOT NULL,
  session    INTEGER,                      -- the session that an event is bound through …
  identifier INTEGER,                      -- … or the identifier that a server event is bound by,
  named      INTEGER,                      -- as which it was named: 1 email, 2 externalId, 3 userId
  at         INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  type       TEXT,
  data       TEXT NOT NULL,                -- as sent
  context    TEXT,
  agent      TEXT                          -- browser|system|device|bot of a browser's event
);
CREATE UNIQUE INDEX message_by_event_id ON message (company, origin, event_id);
CREATE INDEX message_by_session ON message (company, session, at, event_id) WHERE session IS NOT NULL;
CREATE INDEX message_by_identifier ON message (company, identifier, at, event_id) WHERE identifier IS NOT NULL;
CREATE INDEX server_message_by_session ON message (company, session, at, event_id) WHERE session IS NOT NULL AND origin = 1;
CREATE INDEX server_message_by_time ON message (company, at) WHERE origin = 1;
CREATE INDEX registration_by_session ON message (company, session, at) WHERE session IS NOT NULL AND type = 'user_registered';
CREATE INDEX registration_by_identifier ON message (company, identifier, at) WHERE identifier IS NOT NULL AND type = 'user_registered';

CREATE TABLE session (
  id         INTEGER PRIMARY KEY,
  company    INTEGER NOT NULL,
  session_id TEXT NOT NULL,
  UNIQUE (company, session_id)
);

CREATE TABLE identifier (
  id             INTEGER PRIMARY KEY,
  company        INTEGER NOT NULL,
  leaf           BLOB NOT NULL,            -- the profile id that is this identifier's for ever
  kind           INTEGER NOT NULL,         -- 1 email, 2 external, 3 bare
  value          TEXT NOT NULL,
  first_named_ms INTEGER,                  -- null for a bare id
  search         TEXT NOT NULL,            -- value and name, lower case
  person         INTEGER NOT NULL,         -- derived: the smallest number among the identifiers it is one person with
  UNIQUE (company, leaf)
);
CREATE INDEX identifier_by_person ON identifier (company, person);

-- A statement about who someone is: by an identify, by a webhook that names a session and a person, or by one that names a person twice. Never rewritten.
CREATE TABLE claim (
  id         INTEGER PRIMARY KEY,
  company    INTEGER NOT NULL,
  message    INTEGER NOT NULL,
  session    INTEGER,
  identifier INTEGER NOT NULL,             -- the one that the session goes to
  named      INTEGER NOT NULL,             -- as which it was named: 1 email, 2 externalId, 3 userId
  second     INTEGER,
  third      INTEGER,
  method     INTEGER NOT NULL,             -- 1 identify, 2 webhook
  trust      INTEGER NOT NULL,             -- 0 claimed, 1 verified
  at_ms      INTEGER NOT NULL,
  event_id   TEXT NOT NULL
);
CREATE INDEX claim_by_session ON claim (company, session, at_ms) WHERE session IS NOT NULL;
CREATE INDEX claim_by_session_and_identifier ON claim (company, session, identifier) WHERE session IS NOT NULL;
CREATE INDEX claim_of_several_by_session ON claim (company, session) WHERE session IS NOT NULL AND second IS NOT NULL;
CREATE INDEX verified_claim_by_session ON claim (company, session) WHERE session IS NOT NULL AND trust = 1;
CREATE INDEX external_webhook_by_session ON claim (company, session) WHERE session IS NOT NULL AND method = 2 AND named = 2;
CREATE INDEX identify_by_identifier ON claim (company, identifier, at_ms, event_id) WHERE method = 1;

-- "These two identifiers are one person", at the earliest time it was said with this trust; by a message (session 0), or as it follows from a session's identifies.
CREATE TABLE pair (
  company  INTEGER NOT NULL,
  low      INTEGER NOT NULL,
  high     INTEGER NOT NULL,
  trust    INTEGER NOT NULL,
  session  INTEGER NOT NULL,
  at_ms    INTEGER NOT NULL,
  event_id TEXT NOT NULL,
  stop     INTEGER,                        -- derived: why it does not join, for the answer to the next that says the same
  PRIMARY KEY (company, low, high, trust, session)
) WITHOUT ROWID;
CREATE INDEX pair_by_low ON pair (company, low, trust, at_ms, event_id, high);
CREATE INDEX pair_by_high ON pair (company, high, trust, at_ms, event_id, low);
CREATE INDEX pair_by_session ON pair (company, session) WHERE session > 0;

CREATE TABLE trait (
  company    INTEGER NOT NULL,
  identifier INTEGER NOT NULL,
  name       TEXT NOT NULL,
  value      TEXT NOT NULL,                -- JSON
  trust      INTEGER NOT NULL,
  at_ms      INTEGER NOT NULL,
  event_id   TEXT NOT NULL,
  PRIMARY KEY (company, identifier, name)
) WITHOUT ROWID;

-- Derived from here on: thrown away and rebuilt from what stands above.

CREATE TABLE span (
  company    INTEGER NOT NULL,
  session    INTEGER NOT NULL,
  from_ms    INTEGER NOT NULL,
  to_ms      INTEGER NOT NULL,
  identifier INTEGER NOT NULL,
  claim      INTEGER NOT NULL,
  trust      INTEGER NOT NULL,
  has_runs   INTEGER NOT NULL,             -- 1 where server events are bound through this session
  PRIMARY KEY (company, session, from_ms)
) WITHOUT ROWID;
CREATE INDEX span_by_identifier ON span (company, identifier, session, from_ms);
CREATE INDEX span_with_runs ON span (company, identifier, session, from_ms) WHERE has_runs = 1;

-- Browser events of a session by UTC day: counts that a span cuts without reading the events of the other days.
CREATE TABLE session_day (
  company  INTEGER NOT NULL,
  session  INTEGER NOT NULL,
  day      INTEGER NOT NULL,               -- ms / 86,400,000
  events   INTEGER NOT NULL,
  bots     INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at  INTEGER NOT NULL,
  PRIMARY KEY (company, session, day)
) WITHOUT ROWID;

-- Runs of server events with less than the gap between neighbours, of one identifier (session 0) or one session (identifier 0).
CREATE TABLE server_run (
  company        INTEGER NOT NULL,
  identifier     INTEGER NOT NULL,
  session        INTEGER NOT NULL,
  first_at       INTEGER NOT NULL,
  first_event_id TEXT NOT NULL,
  last_at        INTEGER NOT NULL,
  events         INTEGER NOT NULL,
  PRIMARY KEY (company, identifier, session, first_at)
) WITHOUT ROWID;

CREATE TABLE ledger_entry (
  message    INTEGER PRIMARY KEY,
  company    INTEGER NOT NULL,
  payment    INTEGER NOT NULL,             -- entries that share a key, directly or through others, carry the same number
  kind       INTEGER NOT NULL,             -- 1 payment, 2 refund
  refund_id  TEXT,
  at         INTEGER NOT NULL,
  event_id   TEXT NOT NULL,
  amount     TEXT NOT NULL,                -- exact decimal
  currency   TEXT NOT NULL,
  session    INTEGER,
  identifier INTEGER
);
CREATE INDEX ledger_entry_by_payment ON ledger_entry (company, payment);
CREATE INDEX ledger_entry_by_identifier ON ledger_entry (company, identifier) WHERE identifier IS NOT NULL;
CREATE INDEX ledger_entry_by_session ON ledger_entry (company, session) WHERE session IS NOT NULL;

CREATE TABLE payment_key (
  company INTEGER NOT NULL,
  key     TEXT NOT NULL,
  payment INTEGER NOT NULL,
  PRIMARY KEY (company, key)
) WITHOUT ROWID;
CREATE INDEX payment_key_by_payment ON payment_key (company, payment);

CREATE TABLE usage_day (
  company INTEGER NOT NULL,
  day     INTEGER NOT NULL,
  events  INTEGER NOT NULL,
  PRIMARY KEY (company, day)
) WITHOUT ROWID;

-- What was refused, bounded per company: the newest stay.
CREATE TABLE rejected (
  id          INTEGER PRIMARY KEY,
  company     INTEGER NOT NULL,
  origin      INTEGER NOT NULL,
  event_id    TEXT,
  received_ms INTEGER NOT NULL,
  status      INTEGER NOT NULL,
  detail      TEXT NOT NULL,
  body        BLOB NOT NULL
);
CREATE INDEX rejected_by_company ON rejected (company, id);

-- What the planner would take from its own statistics if a store were born full. Without them it takes any first column of a key for nearly unique, and the first
-- column of every key is the company: it would rather walk all of a company's spans than look into the index of one identifier.
ANALYZE;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('message', 'message_by_event_id', '10000000 5000000 2000000 1'),
  ('message', 'message_by_session', '8000000 4000000 20 2 1'),
  ('message', 'message_by_identifier', '2000000 1000000 10 2 1'),
  ('message', 'server_message_by_session', '200000 100000 10 2 1'),
  ('message', 'server_message_by_time', '2000000 1000000 2'),
  ('message', 'registration_by_session', '20000 10000 1 1'),
  ('message', 'registration_by_identifier', '20000 10000 1 1'),
  ('session', 'sqlite_autoindex_session_1', '1000000 500000 1'),
  ('identifier', 'sqlite_autoindex_identifier_1', '1000000 500000 1'),
  ('identifier', 'identifier_by_person', '1000000 500000 2'),
  ('claim', 'claim_by_session', '1000000 500000 4 1'),
  ('claim', 'claim_by_session_and_identifier', '1000000 500000 4 2'),
  ('claim', 'claim_of_several_by_session', '200000 100000 3'),
  ('claim', 'verified_claim_by_session', '200000 100000 3'),
  ('claim', 'external_webhook_by_session', '200000 100000 5'),
  ('claim', 'identify_by_identifier', '1000000 500000 4 1 1'),
  ('pair', 'pair', '1000000 500000 4 1 1 1'),
  ('pair', 'pair_by_low', '1000000 500000 4 3 1 1 1'),
  ('pair', 'pair_by_high', '1000000 500000 4 3 1 1 1'),
  ('pair', 'pair_by_session', '200000 100000 3'),
  ('trait', 'trait', '3000000 1500000 4 1'),
  ('span', 'span', '1000000 500000 3 1'),
  ('span', 'span_by_identifier', '1000000 500000 4 1 1'),
  ('span', 'span_with_runs', '100000 50000 4 1 1'),
  ('session_day', 'session_day', '1500000 700000 2 1'),
  ('server_run', 'server_run', '500000 250000 4 3 1'),
  ('ledger_entry', 'ledger_entry_by_payment', '500000 250000 2'),
  ('ledger_entry', 'ledger_entry_by_identifier', '500000 250000 4'),
  ('ledger_entry', 'ledger_entry_by_session', '50000 25000 4'),
  ('payment_key', 'payment_key', '500000 250000 1'),
  ('payment_key', 'payment_key_by_payment', '500000 250000 2'),
  ('rejected', 'rejected_by_company', '2000 1000 1');
ANALYZE sqlite_schema;
