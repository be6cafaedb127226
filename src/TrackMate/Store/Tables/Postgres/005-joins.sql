ALTER TABLE identifier ADD COLUMN verified smallint NOT NULL DEFAULT 0;
ALTER TABLE identifier ADD COLUMN in_large_cluster smallint NOT NULL DEFAULT 0;

CREATE INDEX pair_in_order_by_low ON pair (company, low, at_ms, event_id, high) WHERE trust = 1 AND standing <> 0;
CREATE INDEX pair_in_order_by_high ON pair (company, high, at_ms, event_id, low) WHERE trust = 1 AND standing <> 0;
CREATE INDEX claimed_pair_by_time ON pair (company, at_ms, low, high) WHERE trust = 0 AND standing = 1;

INSERT INTO rederive (company, part) SELECT id, 'persons' FROM company;
