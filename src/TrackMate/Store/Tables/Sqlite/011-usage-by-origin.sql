-- Quotas of browsers and of API keys are counted apart. What was counted of both together is taken for browsers', who send most of it.
CREATE TABLE usage_of_day (
  company INTEGER NOT NULL,
  day     INTEGER NOT NULL,
  origin  INTEGER NOT NULL,                -- 0: browsers, 1: API keys
  events  INTEGER NOT NULL,
  PRIMARY KEY (company, day, origin)
) WITHOUT ROWID;
INSERT INTO usage_of_day SELECT company, day, 0, events FROM usage_day;
DROP TABLE usage_day;
ALTER TABLE usage_of_day RENAME TO usage_day;
