-- Which day a session began on and whether it is somebody's stand in its own row: what the stitch rate counts. A table of days that triggers kept was one row for
-- all of a company's writers, and not every store has triggers.

DROP TRIGGER stitch_session_begins;
DROP TRIGGER stitch_session_begins_after_bots;
DROP TRIGGER stitch_session_goes;
DROP TRIGGER stitch_session_identified;
DROP TRIGGER stitch_session_unidentified;
DROP TABLE stitch_day;
DELETE FROM sqlite_stat1 WHERE tbl = 'stitch_day';

ALTER TABLE session ADD COLUMN first_day INTEGER;                      -- derived: the UTC day of its first browser event that is no bot's
ALTER TABLE session ADD COLUMN identified INTEGER NOT NULL DEFAULT 0;  -- derived: 1 where it has a span
UPDATE session SET
  first_day = (SELECT MIN(day) FROM session_day WHERE session_day.company = session.company AND session_day.session = session.id AND bots < events),
  identified = CASE WHEN EXISTS (SELECT 1 FROM span WHERE span.company = session.company AND span.session = session.id) THEN 1 ELSE 0 END;
CREATE INDEX session_by_first_day ON session (company, first_day, identified) WHERE first_day IS NOT NULL;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('session', 'session_by_first_day', '900000 450000 1000 500');
ANALYZE sqlite_schema;
