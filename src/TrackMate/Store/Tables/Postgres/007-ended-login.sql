-- Logins of the dashboard that somebody has logged out of, as long as a copy of their cookie might be good.
CREATE TABLE ended_login (
  login    text COLLATE "C" PRIMARY KEY,
  until_ms bigint NOT NULL
);
