-- Payments are grouped when they are read; what that means stands in Store/Sqlite/013-payment-keys.sql. The rows that are there now go when the ledger is derived anew.
DROP INDEX ledger_entry_by_payment;
ALTER TABLE ledger_entry DROP COLUMN payment;

DROP INDEX payment_key_by_payment;
ALTER TABLE payment_key RENAME COLUMN payment TO message;
ALTER TABLE payment_key DROP CONSTRAINT payment_key_pkey;
ALTER TABLE payment_key ADD PRIMARY KEY (company, key, message);

INSERT INTO rederive (company, part) SELECT id, 'ledger' FROM company ON CONFLICT DO NOTHING;
