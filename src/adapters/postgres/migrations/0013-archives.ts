/*
 * Old orders, moved to files. For each order, the database keeps that its id was decided, on which record and with
 * what content; for all accepted ones together, also the quantity sold of each item, so that the books balance
 * without the files.
 */
export const ARCHIVES = `
CREATE TABLE orderctl.archives (
  number integer PRIMARY KEY,
  file text NOT NULL UNIQUE,
  sha256 text NOT NULL,
  accepted integer NOT NULL,
  rejected integer NOT NULL,
  -- Of the newest order in it: all orders up to that commit are in this archive or an earlier one.
  last_seq bigint NOT NULL,
  last_decided_at double precision NOT NULL
);
CREATE TABLE orderctl.archived_orders (
  order_id text PRIMARY KEY,
  archive integer NOT NULL,
  status text NOT NULL CHECK (status IN ('accepted', 'rejected')),
  user_name text NOT NULL,
  created_at double precision NOT NULL,
  decided_at double precision NOT NULL,
  topic text NOT NULL,
  partition integer NOT NULL,
  record_offset bigint NOT NULL,
  reason text,
  -- [item, quantity] of each line.
  lines json NOT NULL
);
CREATE TABLE orderctl.archived_sales (
  item text PRIMARY KEY,
  sold bigint NOT NULL
);
`;
