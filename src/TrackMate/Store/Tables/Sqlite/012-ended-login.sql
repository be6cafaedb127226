-- Logins of the dashboard that somebody has logged out of, as long as a copy of their cookie might be good.
CREATE TABLE ended_login (
  login    TEXT PRIMARY KEY,
  until_ms INTEGER NOT NULL
) WITHOUT ROWID;
