-- A claim costs what its neighbours in time cost; what the tables and columns mean stands in Store/Sqlite/014-openings.sql.
CREATE TABLE opening (
  company    bigint NOT NULL,
  session    bigint NOT NULL,
  by_email   smallint NOT NULL,
  at_ms      bigint NOT NULL,
  trust      smallint NOT NULL,
  event_id   text COLLATE "C" NOT NULL,
  method     smallint NOT NULL,
  claim      bigint NOT NULL,
  identifier bigint NOT NULL,
  PRIMARY KEY (company, session, by_email, at_ms, trust, event_id, method)
);

CREATE TABLE whole_span (
  company    bigint NOT NULL,
  session    bigint NOT NULL,
  from_ms    bigint NOT NULL,
  to_ms      bigint NOT NULL,
  identifier bigint NOT NULL,
  claim      bigint NOT NULL,
  PRIMARY KEY (company, session, from_ms)
);

ALTER TABLE span DROP COLUMN trust;
DROP INDEX span_with_runs;
ALTER TABLE span DROP COLUMN has_runs;
ALTER TABLE span ADD COLUMN first_server_at bigint;
ALTER TABLE span ADD COLUMN last_server_at bigint;
CREATE INDEX span_with_server_events ON span (company, identifier, last_server_at) WHERE last_server_at IS NOT NULL;

DROP INDEX claim_by_session;
DROP INDEX claim_by_session_and_identifier;
DROP INDEX claim_of_several_by_session;
DROP INDEX verified_claim_by_session;
DROP INDEX external_webhook_by_session;
CREATE INDEX claim_by_session_and_identifier ON claim (company, session, identifier, trust, at_ms, event_id, method) WHERE session IS NOT NULL;
CREATE INDEX claim_by_session_and_second ON claim (company, session, second, trust, at_ms, event_id, method) WHERE session IS NOT NULL AND second IS NOT NULL AND standing <> 0;
CREATE INDEX claim_by_session_and_third ON claim (company, session, third, trust, at_ms, event_id, method) WHERE session IS NOT NULL AND third IS NOT NULL AND standing <> 0;
CREATE INDEX external_webhook_by_session ON claim (company, session, identifier, at_ms, event_id) WHERE session IS NOT NULL AND method = 2 AND named = 2 AND standing <> 0;

DROP INDEX standing_act_by_session;
CREATE INDEX standing_act_by_session ON act (company, session, identifier) WHERE session IS NOT NULL AND undone_ms IS NULL;

INSERT INTO rederive (company, part) SELECT id, 'spans' FROM company ON CONFLICT DO NOTHING;
