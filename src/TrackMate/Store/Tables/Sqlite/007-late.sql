-- Browsers' events that came a day or more after their time, or more than an hour before it: few, and what a company that bounds their age looks for.
CREATE INDEX late_message ON message (company, session, at) WHERE session IS NOT NULL AND origin = 0 AND (received_ms - (at >> 11) > 86400000 OR (at >> 11) - received_ms > 3600000);
-- Whom verified messages know is asked of one identifier, which browsers may have claimed any number of times.
CREATE INDEX verified_claim_by_identifier ON claim (company, identifier) WHERE session IS NOT NULL AND trust = 1;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('message', 'late_message', '20000 10000 10 1'), ('claim', 'verified_claim_by_identifier', '200000 100000 2');
ANALYZE sqlite_schema;
