/*
 * Suppliers and reports as tables: before, they were views of small tables that were never filled. The views in the
 * schema `shop` are replaced, not dropped, to keep the privileges that were granted on them.
 */
export const LISTS = `
CREATE TABLE orderctl.new_suppliers (
  supplier_id text PRIMARY KEY CHECK (supplier_id ~ '^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$'),
  name text,
  contact text
);
CREATE TABLE orderctl.new_reports (
  report_date date PRIMARY KEY,
  time_zone text,
  total_sales numeric,
  top_sellers json,
  low_stock json
);
CREATE OR REPLACE VIEW shop.suppliers AS SELECT supplier_id, name, contact FROM orderctl.new_suppliers;
CREATE OR REPLACE VIEW shop.reports AS
  SELECT report_date, total_sales, top_sellers, low_stock FROM orderctl.new_reports;
DROP VIEW orderctl.suppliers;
DROP VIEW orderctl.reports;
ALTER TABLE orderctl.new_suppliers RENAME TO suppliers;
ALTER TABLE orderctl.new_reports RENAME TO reports;
ALTER INDEX orderctl.new_suppliers_pkey RENAME TO suppliers_pkey;
ALTER INDEX orderctl.new_reports_pkey RENAME TO reports_pkey;
`;
