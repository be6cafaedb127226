-- Payments are grouped when they are read (Store/Read/TotalsReader.cs): each message has a row for each key that it names, and none is ever rewritten. A group's number
-- in each of its rows made a message that joined two groups cost as much as the group was large.
DROP INDEX ledger_entry_by_payment;
ALTER TABLE ledger_entry DROP COLUMN payment;

DROP TABLE payment_key;
CREATE TABLE payment_key (
  company INTEGER NOT NULL,
  key     TEXT NOT NULL,
  message INTEGER NOT NULL,
  PRIMARY KEY (company, key, message)
) WITHOUT ROWID;

INSERT OR IGNORE INTO rederive (company, part) SELECT id, 'ledger' FROM company;

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('payment_key', 'payment_key', '1000000 500000 2 1');
ANALYZE sqlite_schema;
