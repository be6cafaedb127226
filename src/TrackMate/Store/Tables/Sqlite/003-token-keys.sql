-- Keys that browsers' tokens are signed with (docs/trust.md). A secret lies here encrypted by a key of the data folder, which no backup holds; a public key as it is.
CREATE TABLE token_key (
  id         INTEGER PRIMARY KEY,
  company    INTEGER NOT NULL REFERENCES company,
  kid        TEXT NOT NULL,
  algorithm  TEXT NOT NULL,                -- HS256 or EdDSA
  key        BLOB NOT NULL,                -- empty once it is revoked
  created_ms INTEGER NOT NULL,
  revoked_ms INTEGER,
  UNIQUE (company, kid)
);

-- Identifies that came without a valid token while the company looked on (observe), by UTC day.
CREATE TABLE identify_without_token (
  company    INTEGER NOT NULL,
  day        INTEGER NOT NULL,             -- ms / 86,400,000
  fault      TEXT NOT NULL,
  identifies INTEGER NOT NULL,
  PRIMARY KEY (company, day, fault)
) WITHOUT ROWID;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('token_key', 'sqlite_autoindex_token_key_1', '100 3 1'),
  ('identify_without_token', 'identify_without_token', '10000 500 5 1');
ANALYZE sqlite_schema;
