-- A claim costs what its neighbours in time cost, however many its session has (docs/decisions/0010).

-- Derived: the claims that open a span, in their order (B8). Those by which a session becomes known by an e-mail stand apart, since what a session makes known of an
-- externalId looks at these alone (B13).
CREATE TABLE opening (
  company    INTEGER NOT NULL,
  session    INTEGER NOT NULL,
  by_email   INTEGER NOT NULL,             -- 1: an identify whose first identifier is an e-mail
  at_ms      INTEGER NOT NULL,
  trust      INTEGER NOT NULL,
  event_id   TEXT NOT NULL,
  method     INTEGER NOT NULL,
  claim      INTEGER NOT NULL,
  identifier INTEGER NOT NULL,             -- the one that the session goes to
  PRIMARY KEY (company, session, by_email, at_ms, trust, event_id, method)
) WITHOUT ROWID;

-- Derived, of sessions of which an operator has un-bound a part: their spans as claims alone make them.
CREATE TABLE whole_span (
  company    INTEGER NOT NULL,
  session    INTEGER NOT NULL,
  from_ms    INTEGER NOT NULL,
  to_ms      INTEGER NOT NULL,
  identifier INTEGER NOT NULL,
  claim      INTEGER NOT NULL,
  PRIMARY KEY (company, session, from_ms)
) WITHOUT ROWID;

-- Whether a verified claim names a span's identifier is asked when it is read: one such claim changed every span of its identifier.
ALTER TABLE span DROP COLUMN trust;
-- And a span knows the places of the server events in it that are bound through its session, not whether its session has any: the first such event changed every span
-- of the session, and every event of a person looked at all its sessions that have some.
DROP INDEX span_with_runs;
ALTER TABLE span DROP COLUMN has_runs;
ALTER TABLE span ADD COLUMN first_server_at INTEGER;
ALTER TABLE span ADD COLUMN last_server_at INTEGER;
CREATE INDEX span_with_server_events ON span (company, identifier, last_server_at) WHERE last_server_at IS NOT NULL;

-- Whom a claim names is found by its place in time, the earliest first.
DROP INDEX claim_by_session;
DROP INDEX claim_by_session_and_identifier;
DROP INDEX claim_of_several_by_session;
DROP INDEX verified_claim_by_session;
DROP INDEX external_webhook_by_session;
CREATE INDEX claim_by_session_and_identifier ON claim (company, session, identifier, trust, at_ms, event_id, method) WHERE session IS NOT NULL;
CREATE INDEX claim_by_session_and_second ON claim (company, session, second, trust, at_ms, event_id, method) WHERE session IS NOT NULL AND second IS NOT NULL AND standing <> 0;
CREATE INDEX claim_by_session_and_third ON claim (company, session, third, trust, at_ms, event_id, method) WHERE session IS NOT NULL AND third IS NOT NULL AND standing <> 0;
CREATE INDEX external_webhook_by_session ON claim (company, session, identifier, at_ms, event_id) WHERE session IS NOT NULL AND method = 2 AND named = 2 AND standing <> 0;

-- One undo of many claims leaves an act for each identifier that a session claimed.
DROP INDEX standing_act_by_session;
CREATE INDEX standing_act_by_session ON act (company, session, identifier) WHERE session IS NOT NULL AND undone_ms IS NULL;

INSERT OR IGNORE INTO rederive (company, part) SELECT id, 'spans' FROM company;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('opening', 'opening', '1000000 500000 3 3 1 1 1 1'),
  ('whole_span', 'whole_span', '2000 1000 3 1'),
  ('claim', 'claim_by_session_and_identifier', '1000000 500000 4 2 2 1 1 1'),
  ('claim', 'claim_by_session_and_second', '200000 100000 3 2 2 1 1 1'),
  ('claim', 'claim_by_session_and_third', '20000 10000 3 2 2 1 1 1'),
  ('claim', 'external_webhook_by_session', '200000 100000 5 2 1 1'),
  ('span', 'span_with_server_events', '100000 50000 4 1'),
  ('act', 'standing_act_by_session', '2000 1000 1 1');
ANALYZE sqlite_schema;
