-- What people are found by; what the columns mean stands in Store/Sqlite/008-search.sql.

ALTER TABLE identifier ADD COLUMN indexed_as text COLLATE "C" DEFAULT '';
CREATE INDEX identifier_to_index ON identifier (company, id) WHERE indexed_as IS NOT NULL;
CREATE INDEX identifier_by_created ON identifier (company, first_named_ms, id) WHERE first_named_ms IS NOT NULL;

CREATE TABLE search_segment (
  company bigint NOT NULL,
  base    bigint NOT NULL,
  newest  bigint NOT NULL,
  members bigint NOT NULL,
  PRIMARY KEY (company, base)
);

CREATE TABLE search_bucket (
  company bigint NOT NULL,
  bucket  bigint NOT NULL,
  base    bigint NOT NULL,
  grams   bytea NOT NULL,
  PRIMARY KEY (company, bucket, base)
);

CREATE TABLE alike (
  company    bigint NOT NULL,
  hash       bigint NOT NULL,
  identifier bigint NOT NULL,
  kind       smallint NOT NULL,
  again      smallint NOT NULL,
  PRIMARY KEY (company, hash, identifier)
);
CREATE INDEX alike_by_identifier ON alike (company, identifier);
CREATE INDEX alike_again ON alike (company, identifier, kind) WHERE again = 1;

CREATE TABLE event_key (
  company bigint NOT NULL,
  value   text COLLATE "C" NOT NULL,
  kind    smallint NOT NULL,
  message bigint NOT NULL,
  PRIMARY KEY (company, value, kind, message)
);

CREATE TABLE backfill (
  company bigint NOT NULL,
  task    text COLLATE "C" NOT NULL,
  at      bigint NOT NULL,
  PRIMARY KEY (company, task)
);
INSERT INTO backfill (company, task, at) SELECT id, 'event_key', 9223372036854775807 FROM company;
