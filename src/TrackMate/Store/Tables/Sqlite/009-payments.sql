-- Payments of one order: an entry keeps the keys that it names and its paymentId, since two of these are two payments (Bind/RevenueLedger.cs).
ALTER TABLE ledger_entry ADD COLUMN payment_id TEXT;               -- as PaymentKey writes it; null where the event names none
ALTER TABLE ledger_entry ADD COLUMN keys TEXT NOT NULL DEFAULT ''; -- the same, one after the other, a unit separator (U+001F) between them

-- What an upgrade has to derive anew before a server takes messages: a row for each company and part, gone in the transaction that has done it.
CREATE TABLE rederive (
  company INTEGER NOT NULL,
  part    TEXT NOT NULL,
  PRIMARY KEY (company, part)
) WITHOUT ROWID;
INSERT INTO rederive (company, part) SELECT id, 'ledger' FROM company;
