-- A changed setting that rows rest on is derived in steps (Store/Rebuild/SettingsSteps.cs): how far each part of that has come. A part without a place is derived whole
-- before a server takes messages, as after an upgrade.
ALTER TABLE rederive ADD COLUMN place TEXT;

-- A company has two ledgers, so that one is written while the other is read (Store/Tables/LedgerRows.cs).
CREATE TABLE ledger_read (
  company  INTEGER NOT NULL,
  only_row INTEGER NOT NULL,                 -- 0
  ledger   INTEGER NOT NULL,                 -- 0 or 1; a company without a row reads 0
  PRIMARY KEY (company, only_row)
) WITHOUT ROWID;

ALTER TABLE ledger_entry RENAME TO old_ledger_entry;
DROP INDEX ledger_entry_by_identifier;
DROP INDEX ledger_entry_by_session;
CREATE TABLE ledger_entry (
  company    INTEGER NOT NULL,
  message    INTEGER NOT NULL,
  ledger     INTEGER NOT NULL,
  payment_id TEXT,                           -- as PaymentKey writes it; null where the event names none
  keys       TEXT NOT NULL,                  -- the same of all that it names, a unit separator (U+001F) between them
  kind       INTEGER NOT NULL,               -- 1 payment, 2 refund
  refund_id  TEXT,
  at         INTEGER NOT NULL,
  event_id   TEXT NOT NULL,
  amount     TEXT NOT NULL,                  -- exact decimal
  currency   TEXT NOT NULL,
  session    INTEGER,
  identifier INTEGER,
  PRIMARY KEY (company, message, ledger)
) WITHOUT ROWID;
INSERT INTO ledger_entry (company, message, ledger, payment_id, keys, kind, refund_id, at, event_id, amount, currency, session, identifier)
SELECT company, message, 0, payment_id, keys, kind, refund_id, at, event_id, amount, currency, session, identifier FROM old_ledger_entry;
DROP TABLE old_ledger_entry;
CREATE INDEX ledger_entry_by_identifier ON ledger_entry (company, identifier) WHERE identifier IS NOT NULL;
CREATE INDEX ledger_entry_by_session ON ledger_entry (company, session) WHERE session IS NOT NULL;

DELETE FROM sqlite_stat1 WHERE tbl = 'ledger_entry';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('ledger_entry', 'ledger_entry', '500000 250000 1 1'),
  ('ledger_entry', 'ledger_entry_by_identifier', '500000 250000 4'),
  ('ledger_entry', 'ledger_entry_by_session', '50000 25000 4'),
  ('ledger_read', 'ledger_read', '100 1 1');
ANALYZE sqlite_schema;
