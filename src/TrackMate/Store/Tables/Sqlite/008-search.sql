-- What people are found by. An identifier's `search` is its value and name, folded (Bind/SearchText.cs). `indexed_as` says what the index holds of it: null where that
-- is `search`, '' where it holds nothing yet, else the text before a change. What is not null is few and is looked through one by one; the server indexes it in the
-- background, so that a message costs no more than its own row, and a store of an earlier version is open at once.
ALTER TABLE identifier ADD COLUMN indexed_as TEXT DEFAULT '';
CREATE INDEX identifier_to_index ON identifier (company, id) WHERE indexed_as IS NOT NULL;
CREATE INDEX identifier_by_created ON identifier (company, first_named_ms, id) WHERE first_named_ms IS NOT NULL;

-- The index is in segments of a few thousand identifiers, in the order of their numbers: from `base` to before the next one's.
CREATE TABLE search_segment (
  company INTEGER NOT NULL,
  base    INTEGER NOT NULL,
  newest  INTEGER NOT NULL,                -- the greatest number indexed in it
  members INTEGER NOT NULL,
  PRIMARY KEY (company, base)
) WITHOUT ROWID;

-- Which identifiers of a segment have which three characters in a row in their text (Store/SearchBucket.cs).
CREATE TABLE search_bucket (
  company INTEGER NOT NULL,
  bucket  INTEGER NOT NULL,
  base    INTEGER NOT NULL,
  grams   BLOB NOT NULL,
  PRIMARY KEY (company, bucket, base)
) WITHOUT ROWID;

-- What an identifier is compared by with others that may be the same person's (Bind/Likeness.cs), as a keyed hash.
CREATE TABLE alike (
  company    INTEGER NOT NULL,
  hash       INTEGER NOT NULL,
  identifier INTEGER NOT NULL,
  kind       INTEGER NOT NULL,
  again      INTEGER NOT NULL,             -- 1 where another one had it when this one came
  PRIMARY KEY (company, hash, identifier)
) WITHOUT ROWID;
CREATE INDEX alike_by_identifier ON alike (company, identifier);
CREATE INDEX alike_again ON alike (company, identifier, kind) WHERE again = 1;

-- Orders, payments, charges and parcels that servers' events belong to (Bind/EventKeys.cs).
CREATE TABLE event_key (
  company INTEGER NOT NULL,
  value   TEXT NOT NULL,                   -- folded, without blanks
  kind    INTEGER NOT NULL,                -- 1 order, 2 payment, 3 charge, 4 tracking
  message INTEGER NOT NULL,
  PRIMARY KEY (company, value, kind, message)
) WITHOUT ROWID;

-- Work of an upgrade that a server does in the background, from the newest to the oldest: what is at this time or after it is done.
CREATE TABLE backfill (
  company INTEGER NOT NULL,
  task    TEXT NOT NULL,
  at      INTEGER NOT NULL,
  PRIMARY KEY (company, task)
) WITHOUT ROWID;
INSERT INTO backfill (company, task, at)
  SELECT id, 'event_key', 9223372036854775807 FROM company WHERE EXISTS (SELECT 1 FROM message WHERE message.company = company.id AND origin = 1);

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('identifier', 'identifier_to_index', '2000 1000 1'),
  ('identifier', 'identifier_by_created', '1000000 500000 1 1'),
  ('search_segment', 'search_segment', '500 250 1'),
  ('search_bucket', 'search_bucket', '500000 250000 250 1'),
  ('alike', 'alike', '2000000 1000000 2 1'),
  ('alike', 'alike_by_identifier', '2000000 1000000 2'),
  ('alike', 'alike_again', '20000 10000 2 1'),
  ('event_key', 'event_key', '2000000 1000000 2 2 1'),
  ('backfill', 'backfill', '10 1 1');
ANALYZE sqlite_schema;
