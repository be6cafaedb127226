-- Quotas of browsers and of API keys are counted apart. What was counted of both together is taken for browsers', who send most of it.
ALTER TABLE usage_day ADD COLUMN origin smallint NOT NULL DEFAULT 0;
ALTER TABLE usage_day ALTER COLUMN origin DROP DEFAULT;
ALTER TABLE usage_day DROP CONSTRAINT usage_day_pkey;
ALTER TABLE usage_day ADD PRIMARY KEY (company, day, origin);
