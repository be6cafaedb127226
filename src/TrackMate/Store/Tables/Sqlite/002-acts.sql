-- What operators decide: acts are inputs of the view beside the messages (B9, B12). One is taken back by its undone_ms and never rewritten.
CREATE TABLE act (
  id         INTEGER PRIMARY KEY,
  company    INTEGER NOT NULL,
  act_id     TEXT NOT NULL,                -- as callers know it; a freeze is one row for each identifier
  kind       INTEGER NOT NULL,             -- 1 revokes a session's claims of an identifier, 2 revokes a pair, 3 un-binds, 4 merges, 5 isolates, 6 freezes
  session    INTEGER,
  identifier INTEGER,
  other      INTEGER,                      -- of a pair or a merge: the second identifier
  from_ms    INTEGER,
  to_ms      INTEGER,
  at_ms      INTEGER NOT NULL,
  actor      TEXT NOT NULL,                -- a member's name, or the first characters of an API key
  undone_ms  INTEGER
);
CREATE INDEX act_by_act_id ON act (company, act_id);
CREATE INDEX standing_act_by_kind ON act (company, kind, id) WHERE undone_ms IS NULL;
CREATE INDEX standing_act_by_session ON act (company, session) WHERE session IS NOT NULL AND undone_ms IS NULL;
CREATE INDEX standing_act_by_identifier ON act (company, identifier) WHERE identifier IS NOT NULL AND undone_ms IS NULL;
CREATE INDEX standing_act_by_other ON act (company, other) WHERE other IS NOT NULL AND undone_ms IS NULL;

-- Who did what. It names ids, never an e-mail, so erasure leaves it true.
CREATE TABLE audit (
  id      INTEGER PRIMARY KEY,
  company INTEGER NOT NULL,
  at_ms   INTEGER NOT NULL,
  actor   TEXT NOT NULL,                   -- a member's name, or the first characters of an API key
  action  TEXT NOT NULL,
  detail  TEXT NOT NULL                    -- JSON
);
CREATE INDEX audit_by_company ON audit (company, id);

-- Derived of a claim: 0 taken back (revoked, or beyond the sessions of a day), 1 stands, 2 stands at a time at which an operator says that its session is nobody's.
ALTER TABLE claim ADD COLUMN standing INTEGER NOT NULL DEFAULT 1;
DROP INDEX claim_by_session;
DROP INDEX claim_of_several_by_session;
DROP INDEX verified_claim_by_session;
DROP INDEX external_webhook_by_session;
DROP INDEX identify_by_identifier;
CREATE INDEX claim_by_session ON claim (company, session, at_ms) WHERE session IS NOT NULL AND standing <> 0;
CREATE INDEX claim_by_message ON claim (company, message);
CREATE INDEX claim_by_identifier ON claim (company, identifier, at_ms, event_id) WHERE session IS NOT NULL;
CREATE INDEX claim_of_several_by_session ON claim (company, session) WHERE session IS NOT NULL AND second IS NOT NULL AND standing <> 0;
CREATE INDEX verified_claim_by_session ON claim (company, session) WHERE session IS NOT NULL AND trust = 1 AND standing <> 0;
CREATE INDEX external_webhook_by_session ON claim (company, session) WHERE session IS NOT NULL AND method = 2 AND named = 2 AND standing <> 0;
CREATE INDEX identify_by_identifier ON claim (company, identifier, at_ms, event_id) WHERE method = 1 AND standing = 1;

-- When a session first claimed an identifier, as only a browser says it; of those of one UTC day the first so many stand (B13).
CREATE TABLE first_claim (
  company    INTEGER NOT NULL,
  identifier INTEGER NOT NULL,
  session    INTEGER NOT NULL,
  at_ms      INTEGER NOT NULL,
  event_id   TEXT NOT NULL,
  standing   INTEGER NOT NULL,             -- derived: 0 revoked, 1 stands, 2 one too many of its day
  PRIMARY KEY (company, identifier, session)
) WITHOUT ROWID;
CREATE INDEX first_claim_by_time ON first_claim (company, identifier, standing, at_ms, event_id);

CREATE TABLE first_claim_day (
  company    INTEGER NOT NULL,
  identifier INTEGER NOT NULL,
  day        INTEGER NOT NULL,
  standing   INTEGER NOT NULL,             -- how many stand
  PRIMARY KEY (company, identifier, day)
) WITHOUT ROWID;

INSERT INTO first_claim (company, identifier, session, at_ms, event_id, standing)
  SELECT company, identifier, session, at_ms, event_id, 1 FROM
    (SELECT *, ROW_NUMBER() OVER (PARTITION BY company, identifier, session ORDER BY at_ms, event_id) AS place FROM claim WHERE session IS NOT NULL AND trust = 0)
  WHERE place = 1;
INSERT INTO first_claim_day SELECT company, identifier, at_ms / 86400000, COUNT(*) FROM first_claim GROUP BY 1, 2, 3;

-- What each session said of an identifier's traits, so that what is taken back leaves the others. Session 0: from before this table.
CREATE TABLE trait_said (
  company    INTEGER NOT NULL,
  identifier INTEGER NOT NULL,
  session    INTEGER NOT NULL,
  name       TEXT NOT NULL,
  value      TEXT NOT NULL,                -- JSON
  trust      INTEGER NOT NULL,
  at_ms      INTEGER NOT NULL,
  event_id   TEXT NOT NULL,
  standing   INTEGER NOT NULL,             -- derived: 0 where its session's claim of the identifier is taken back
  PRIMARY KEY (company, identifier, session, name)
) WITHOUT ROWID;
CREATE INDEX trait_said_by_name ON trait_said (company, identifier, name, trust, at_ms, event_id) WHERE standing = 1;
INSERT INTO trait_said SELECT company, identifier, 0, name, value, trust, at_ms, event_id, 1 FROM trait;

-- Derived of a pair: 0 where an operator keeps the two apart; `stop` says which way.
ALTER TABLE pair ADD COLUMN standing INTEGER NOT NULL DEFAULT 1;
DROP INDEX pair_by_low;
DROP INDEX pair_by_high;
CREATE INDEX pair_by_low ON pair (company, low, trust, at_ms, event_id, high) WHERE standing = 1;
CREATE INDEX pair_by_high ON pair (company, high, trust, at_ms, event_id, low) WHERE standing = 1;
CREATE INDEX every_pair_by_high ON pair (company, high);
CREATE INDEX pair_apart_by_low ON pair (company, low) WHERE standing = 0;
CREATE INDEX pair_apart_by_high ON pair (company, high) WHERE standing = 0;

-- Persons on whom more identifiers have piled up than people have, for somebody to look at.
CREATE TABLE alarm (
  company     INTEGER NOT NULL,
  identifier  INTEGER NOT NULL,            -- the one on whom they pile up
  at_ms       INTEGER NOT NULL,            -- when it was last seen
  identifiers INTEGER NOT NULL,            -- so many are one person, or would be
  PRIMARY KEY (company, identifier)
) WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('claim', 'claim_by_session', '1000000 500000 4 1'),
  ('claim', 'claim_of_several_by_session', '200000 100000 3'),
  ('claim', 'verified_claim_by_session', '200000 100000 3'),
  ('claim', 'external_webhook_by_session', '200000 100000 5'),
  ('claim', 'identify_by_identifier', '1000000 500000 4 1 1'),
  ('pair', 'pair_by_low', '1000000 500000 4 3 1 1 1'),
  ('pair', 'pair_by_high', '1000000 500000 4 3 1 1 1'),
  ('claim', 'claim_by_message', '1000000 500000 1'),
  ('claim', 'claim_by_identifier', '1000000 500000 4 1 1'),
  ('act', 'act_by_act_id', '10000 5000 1'),
  ('act', 'standing_act_by_kind', '10000 5000 1000 1'),
  ('act', 'standing_act_by_session', '2000 1000 1'),
  ('act', 'standing_act_by_identifier', '2000 1000 1'),
  ('act', 'standing_act_by_other', '2000 1000 1'),
  ('audit', 'audit_by_company', '20000 10000 1'),
  ('first_claim', 'first_claim', '1000000 500000 3 1'),
  ('first_claim', 'first_claim_by_time', '1000000 500000 3 3 1 1'),
  ('first_claim_day', 'first_claim_day', '800000 400000 2 1'),
  ('trait_said', 'trait_said', '3000000 1500000 4 2 1'),
  ('trait_said', 'trait_said_by_name', '3000000 1500000 4 2 2 1 1'),
  ('pair', 'every_pair_by_high', '1000000 500000 4'),
  ('pair', 'pair_apart_by_low', '2000 1000 2'),
  ('pair', 'pair_apart_by_high', '2000 1000 2'),
  ('alarm', 'alarm', '200 100 1');
ANALYZE sqlite_schema;
