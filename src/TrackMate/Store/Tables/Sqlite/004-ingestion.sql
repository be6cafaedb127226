-- What was refused, warned of and sent again, kept for a while; and how many sessions become somebody's.

ALTER TABLE rejected ADD COLUMN call INTEGER NOT NULL DEFAULT 0;   -- where it was sent: 1 /api/events, 2 /api/profile, 3 /api/webhooks/events
ALTER TABLE rejected ADD COLUMN envelope TEXT;                     -- of one event of a browser's batch: what the batch said for all of them, JSON
ALTER TABLE rejected ADD COLUMN agent TEXT;                        -- browser|system|device|bot of a browser's
ALTER TABLE rejected ADD COLUMN size INTEGER NOT NULL DEFAULT 0;   -- bytes that were sent; the body is shorter where it was cut
ALTER TABLE rejected ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;   -- about what the row takes, bytes
ALTER TABLE rejected ADD COLUMN mended INTEGER;                    -- the message as which it was stored once somebody had mended it
UPDATE rejected SET call = CASE origin WHEN 1 THEN 3 ELSE 1 END, size = LENGTH(body) + (LENGTH(body) = 4096), kept = LENGTH(body) + LENGTH(detail);
CREATE INDEX rejected_by_origin ON rejected (company, origin, id, kept, received_ms);
CREATE INDEX rejected_by_event_id ON rejected (company, origin, event_id, id) WHERE event_id IS NOT NULL;

-- The events of a batch that was refused as a whole.
CREATE TABLE rejected_event (
  company  INTEGER NOT NULL,
  origin   INTEGER NOT NULL,
  event_id TEXT NOT NULL,
  rejected INTEGER NOT NULL,
  PRIMARY KEY (company, origin, event_id, rejected)
) WITHOUT ROWID;
CREATE INDEX rejected_event_by_rejected ON rejected_event (company, rejected);

-- Stored messages that are not quite what their sender may have meant.
CREATE TABLE warning (
  id          INTEGER PRIMARY KEY,
  company     INTEGER NOT NULL,
  origin      INTEGER NOT NULL,
  event_id    TEXT NOT NULL,
  received_ms INTEGER NOT NULL,
  warning     TEXT NOT NULL
);
CREATE INDEX warning_by_origin ON warning (company, origin, id, received_ms);
CREATE INDEX warning_by_company ON warning (company, id);
CREATE INDEX warning_by_event_id ON warning (company, origin, event_id, id);

-- Stored messages that were sent again.
CREATE TABLE duplicate (
  company  INTEGER NOT NULL,
  message  INTEGER NOT NULL,
  count    INTEGER NOT NULL,               -- how often after the first time
  first_ms INTEGER NOT NULL,
  last_ms  INTEGER NOT NULL,
  PRIMARY KEY (company, message)
) WITHOUT ROWID;
CREATE INDEX duplicate_by_time ON duplicate (company, last_ms);

-- Derived: browser sessions by the UTC day of their first event that is no bot's, and how many of them have a span. Triggers keep it, since spans and days are
-- written in many places and each of them would have to think of it; they cost a new session a few steps and an event none.
CREATE TABLE stitch_day (
  company    INTEGER NOT NULL,
  day        INTEGER NOT NULL,
  sessions   INTEGER NOT NULL,
  identified INTEGER NOT NULL,
  PRIMARY KEY (company, day)
) WITHOUT ROWID;
INSERT INTO stitch_day (company, day, sessions, identified)
  SELECT company, day, COUNT(*), SUM(identified) FROM (
    SELECT company, MIN(day) AS day, EXISTS (SELECT 1 FROM span WHERE span.company = session_day.company AND span.session = session_day.session) AS identified
    FROM session_day WHERE bots < events GROUP BY company, session)
  GROUP BY company, day;

CREATE TRIGGER stitch_session_begins AFTER INSERT ON session_day WHEN NEW.bots < NEW.events
  AND NOT EXISTS (SELECT 1 FROM session_day WHERE company = NEW.company AND session = NEW.session AND day < NEW.day AND bots < events)
BEGIN
  -- A session that began on a later day until now.
  UPDATE stitch_day SET sessions = sessions - 1, identified = identified - EXISTS (SELECT 1 FROM span WHERE company = NEW.company AND session = NEW.session)
    WHERE company = NEW.company AND day = (SELECT MIN(day) FROM session_day WHERE company = NEW.company AND session = NEW.session AND day > NEW.day AND bots < events);
  DELETE FROM stitch_day WHERE company = NEW.company AND sessions = 0
    AND day = (SELECT MIN(day) FROM session_day WHERE company = NEW.company AND session = NEW.session AND day > NEW.day AND bots < events);
  INSERT INTO stitch_day (company, day, sessions, identified)
    VALUES (NEW.company, NEW.day, 1, EXISTS (SELECT 1 FROM span WHERE company = NEW.company AND session = NEW.session))
    ON CONFLICT (company, day) DO UPDATE SET sessions = sessions + 1, identified = identified + excluded.identified;
END;

-- The first event that is no bot's on a day that had bots' only.
CREATE TRIGGER stitch_session_begins_after_bots AFTER UPDATE OF events, bots ON session_day WHEN OLD.bots = OLD.events AND NEW.bots < NEW.events
  AND NOT EXISTS (SELECT 1 FROM session_day WHERE company = NEW.company AND session = NEW.session AND day < NEW.day AND bots < events)
BEGIN
  UPDATE stitch_day SET sessions = sessions - 1, identified = identified - EXISTS (SELECT 1 FROM span WHERE company = NEW.company AND session = NEW.session)
    WHERE company = NEW.company AND day = (SELECT MIN(day) FROM session_day WHERE company = NEW.company AND session = NEW.session AND day > NEW.day AND bots < events);
  DELETE FROM stitch_day WHERE company = NEW.company AND sessions = 0
    AND day = (SELECT MIN(day) FROM session_day WHERE company = NEW.company AND session = NEW.session AND day > NEW.day AND bots < events);
  INSERT INTO stitch_day (company, day, sessions, identified)
    VALUES (NEW.company, NEW.day, 1, EXISTS (SELECT 1 FROM span WHERE company = NEW.company AND session = NEW.session))
    ON CONFLICT (company, day) DO UPDATE SET sessions = sessions + 1, identified = identified + excluded.identified;
END;

CREATE TRIGGER stitch_session_goes AFTER DELETE ON session_day WHEN OLD.bots < OLD.events
  AND NOT EXISTS (SELECT 1 FROM session_day WHERE company = OLD.company AND session = OLD.session AND day < OLD.day AND bots < events)
BEGIN
  UPDATE stitch_day SET sessions = sessions - 1, identified = identified - EXISTS (SELECT 1 FROM span WHERE company = OLD.company AND session = OLD.session)
    WHERE company = OLD.company AND day = OLD.day;
  DELETE FROM stitch_day WHERE company = OLD.company AND day = OLD.day AND sessions = 0;
  INSERT INTO stitch_day (company, day, sessions, identified)
    SELECT OLD.company, day, 1, EXISTS (SELECT 1 FROM span WHERE company = OLD.company AND session = OLD.session)
    FROM session_day WHERE company = OLD.company AND session = OLD.session AND day > OLD.day AND bots < events ORDER BY day LIMIT 1
    ON CONFLICT (company, day) DO UPDATE SET sessions = sessions + 1, identified = identified + excluded.identified;
END;

CREATE TRIGGER stitch_session_identified AFTER INSERT ON span
  WHEN NOT EXISTS (SELECT 1 FROM span WHERE company = NEW.company AND session = NEW.session AND from_ms <> NEW.from_ms)
BEGIN
  UPDATE stitch_day SET identified = identified + 1
    WHERE company = NEW.company AND day = (SELECT MIN(day) FROM session_day WHERE company = NEW.company AND session = NEW.session AND bots < events);
END;

CREATE TRIGGER stitch_session_unidentified AFTER DELETE ON span
  WHEN NOT EXISTS (SELECT 1 FROM span WHERE company = OLD.company AND session = OLD.session)
BEGIN
  UPDATE stitch_day SET identified = identified - 1
    WHERE company = OLD.company AND day = (SELECT MIN(day) FROM session_day WHERE company = OLD.company AND session = OLD.session AND bots < events);
END;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('rejected', 'rejected_by_origin', '20000 10000 5000 1 1 1'),
  ('rejected', 'rejected_by_event_id', '20000 10000 5000 2 1'),
  ('rejected_event', 'rejected_event', '20000 10000 5000 2 1'),
  ('rejected_event', 'rejected_event_by_rejected', '20000 10000 20'),
  ('warning', 'warning_by_origin', '20000 10000 5000 1 1'),
  ('warning', 'warning_by_company', '20000 10000 1'),
  ('warning', 'warning_by_event_id', '20000 10000 5000 2 1'),
  ('duplicate', 'duplicate', '200000 100000 1'),
  ('duplicate', 'duplicate_by_time', '200000 100000 1'),
  ('stitch_day', 'stitch_day', '2000 1000 1');
ANALYZE sqlite_schema;
