-- Erasures under way: a person goes in steps that hold the writer for a moment each, and what a killed process left is gone on with at the next start.
CREATE TABLE erasure (
  id      INTEGER PRIMARY KEY,
  company INTEGER NOT NULL,
  until   INTEGER NOT NULL,                -- the newest message when it began: what came later is not taken
  stage   INTEGER NOT NULL                 -- how far it is; the steps are those of ErasureWriter, and the last one is bytes in the files
);

-- What is to go: all that names an identifier, or the events of a session from then to then.
CREATE TABLE erasure_part (
  id         INTEGER PRIMARY KEY,
  erasure    INTEGER NOT NULL,
  identifier INTEGER,
  leaf       BLOB,
  session    INTEGER,
  from_ms    INTEGER,
  to_ms      INTEGER
);
CREATE INDEX erasure_part_by_erasure ON erasure_part (erasure);

-- Who was erased and is to stay away: keyed hashes, from which nobody can be told without knowing them already.
CREATE TABLE suppressed (
  company  INTEGER NOT NULL,
  hash     BLOB NOT NULL,
  since_ms INTEGER NOT NULL,
  kept_out INTEGER NOT NULL,               -- messages that named them since, of which nothing was kept
  PRIMARY KEY (company, hash)
) WITHOUT ROWID;

-- Every message that names an identifier is found by it, as which one of several ever.
CREATE INDEX claim_by_second ON claim (company, second, identifier) WHERE second IS NOT NULL;
CREATE INDEX claim_by_third ON claim (company, third, identifier) WHERE third IS NOT NULL;
CREATE INDEX claim_without_session ON claim (company, identifier) WHERE session IS NULL;
CREATE INDEX rejected_by_mended ON rejected (company, mended) WHERE mended IS NOT NULL;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('claim', 'claim_by_second', '300000 150000 4 2'),
  ('claim', 'claim_by_third', '30000 15000 4 2'),
  ('claim', 'claim_without_session', '200000 100000 3'),
  ('rejected', 'rejected_by_mended', '200 100 1'),
  ('erasure_part', 'erasure_part_by_erasure', '100 10'),
  ('suppressed', 'suppressed', '10000 5000 1');
ANALYZE sqlite_schema;
