ALTER TABLE ledger_entry ADD COLUMN payment_id text COLLATE "C";
ALTER TABLE ledger_entry ADD COLUMN keys text COLLATE "C" NOT NULL DEFAULT '';

CREATE TABLE rederive (
  company bigint NOT NULL,
  part    text COLLATE "C" NOT NULL,
  PRIMARY KEY (company, part)
);
INSERT INTO rederive (company, part) SELECT id, 'ledger' FROM company;
