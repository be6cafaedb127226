-- What joins identifiers costs no more than its bounds (docs/decisions/0010), and how far a browser's claim may join is a setting (B13).

ALTER TABLE identifier ADD COLUMN verified INTEGER NOT NULL DEFAULT 0;         -- 1 once a verified message has named it; stays through retention, not through erasure
ALTER TABLE identifier ADD COLUMN in_large_cluster INTEGER NOT NULL DEFAULT 0; -- derived: 1 where more pairs hang together with it than are taken in the order of time

-- `standing` of a verified pair is 2 where it is not among the earliest pairs of one of its identifiers; its place among them is looked up here.
CREATE INDEX pair_in_order_by_low ON pair (company, low, at_ms, event_id, high) WHERE trust = 1 AND standing <> 0;
CREATE INDEX pair_in_order_by_high ON pair (company, high, at_ms, event_id, low) WHERE trust = 1 AND standing <> 0;
CREATE INDEX claimed_pair_by_time ON pair (company, at_ms, low, high) WHERE trust = 0 AND standing = 1;

INSERT INTO rederive (company, part) SELECT id, 'persons' FROM company;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('pair', 'pair_in_order_by_low', '1000000 500000 4 1 1 1'),
  ('pair', 'pair_in_order_by_high', '1000000 500000 4 1 1 1'),
  ('pair', 'claimed_pair_by_time', '1000000 500000 1 1 1');
ANALYZE sqlite_schema;
