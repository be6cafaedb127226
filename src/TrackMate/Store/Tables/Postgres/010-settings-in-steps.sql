-- What these are stands in Store/Tables/Sqlite/015-settings-in-steps.sql.
ALTER TABLE rederive ADD COLUMN place text COLLATE "C";

CREATE TABLE ledger_read (
  company  bigint NOT NULL,
  only_row smallint NOT NULL,
  ledger   smallint NOT NULL,
  PRIMARY KEY (company, only_row)
);

ALTER TABLE ledger_entry ADD COLUMN ledger smallint NOT NULL DEFAULT 0;
ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_pkey;
ALTER TABLE ledger_entry ADD PRIMARY KEY (company, message, ledger);
