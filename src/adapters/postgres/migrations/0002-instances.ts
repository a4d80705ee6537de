/*
 * Several processes can own a store at the same time. Each has a row that it renews; a row that is not renewed is
 * removed, together with everything that its process had taken. Leases follow the clock of the database: processes
 * may have other clocks.
 */
export const INSTANCES = `
DROP TABLE orderctl.instances;
CREATE TABLE orderctl.instances (
  id uuid PRIMARY KEY,
  host text NOT NULL,
  pid integer NOT NULL,
  identity text,
  purpose text NOT NULL,
  started_at double precision NOT NULL,
  is_consumer boolean NOT NULL,
  -- No other process may own the store at the same time.
  is_alone boolean NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  status json,
  -- How often its status was requested, and up to which request it has answered.
  asked bigint NOT NULL DEFAULT 0,
  answered bigint NOT NULL DEFAULT 0,
  is_to_stop boolean NOT NULL DEFAULT false,
  -- It was shut out, and leaves when it notices.
  is_out boolean NOT NULL DEFAULT false
);

-- Messages to one destination about one key are in one shard, and one process at a time sends them.
ALTER TABLE orderctl.outbox ADD COLUMN shard smallint NOT NULL DEFAULT 0;
CREATE TABLE orderctl.outbox_shards (
  shard smallint PRIMARY KEY,
  holder uuid,
  held_until timestamptz
);

ALTER TABLE orderctl.effects ADD COLUMN taken_by uuid;

-- Every process has the small tables in memory, and reads what others have changed; a deleted row has no value.
ALTER TABLE orderctl.small_tables ADD COLUMN seq bigint NOT NULL DEFAULT 0, ALTER COLUMN value DROP NOT NULL;
CREATE INDEX small_tables_changed ON orderctl.small_tables (seq);
`;
