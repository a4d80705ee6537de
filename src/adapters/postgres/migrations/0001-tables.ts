/*
 * The first tables. Times are milliseconds since the epoch; orders of other producers may have odd times and
 * quantities, so those are double precision. JSON is `json` and not `jsonb`, which refuses U+0000 and reorders keys.
 * `seq` is the number of a commit and `ordinal` the place in it: together they are the order of history.
 */
export const TABLES = `
CREATE SEQUENCE orderctl.commit_seq;

CREATE TABLE orderctl.shop (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  store_id text NOT NULL
);

CREATE TABLE orderctl.users (
  user_name text PRIMARY KEY,
  status text NOT NULL CHECK (status IN ('paid', 'unpaid')),
  extra json NOT NULL DEFAULT '{}',
  place bigint GENERATED ALWAYS AS IDENTITY
);

CREATE TABLE orderctl.products (
  item text PRIMARY KEY,
  name text,
  price numeric(10, 2) CHECK (price >= 0),
  reorder_level bigint CHECK (reorder_level >= 0),
  extra json NOT NULL DEFAULT '{}',
  place bigint GENERATED ALWAYS AS IDENTITY
);

CREATE TABLE orderctl.inventory (
  item text PRIMARY KEY REFERENCES orderctl.products ON DELETE CASCADE,
  quantity bigint NOT NULL CHECK (quantity BETWEEN -9007199254740991 AND 9007199254740991),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE orderctl.orders (
  order_id text PRIMARY KEY,
  seq bigint NOT NULL,
  ordinal integer NOT NULL,
  status text NOT NULL CHECK (status IN ('accepted', 'rejected')),
  user_name text NOT NULL,
  created_at double precision NOT NULL,
  decided_at double precision NOT NULL,
  topic text NOT NULL,
  partition integer NOT NULL,
  record_offset bigint NOT NULL,
  reason text,
  detail text,
  user_status text,
  CHECK ((status = 'accepted') = (reason IS NULL)),
  UNIQUE (seq, ordinal)
);
CREATE INDEX orders_by_status ON orderctl.orders (status, seq, ordinal);

CREATE TABLE orderctl.order_lines (
  order_id text NOT NULL,
  line integer NOT NULL,
  item text NOT NULL,
  quantity double precision NOT NULL,
  unit_price numeric,
  stock bigint,
  PRIMARY KEY (order_id, line)
);

CREATE TABLE orderctl.stock_movements (
  seq bigint NOT NULL,
  ordinal integer NOT NULL,
  at double precision NOT NULL,
  item text NOT NULL,
  delta bigint NOT NULL,
  on_hand bigint NOT NULL,
  cause text NOT NULL CHECK (cause IN ('reservation', 'release', 'restock', 'sale')),
  order_id text,
  event_id text,
  PRIMARY KEY (seq, ordinal)
);

CREATE TABLE orderctl.edits (
  seq bigint NOT NULL,
  ordinal integer NOT NULL,
  at double precision NOT NULL,
  by_user text NOT NULL,
  via text NOT NULL,
  why text,
  undoes integer,
  edit json NOT NULL,
  -- Whether a process that owns the store has yet to apply it.
  is_news boolean NOT NULL,
  PRIMARY KEY (seq, ordinal)
);
CREATE INDEX edits_news ON orderctl.edits (seq, ordinal) WHERE is_news;

CREATE TABLE orderctl.events_log (
  seq bigint NOT NULL,
  ordinal integer NOT NULL,
  log text NOT NULL,
  key text NOT NULL,
  value json NOT NULL,
  PRIMARY KEY (seq, ordinal)
);
CREATE INDEX events_log_by_key ON orderctl.events_log (log, key, seq, ordinal);
CREATE INDEX events_log_by_log ON orderctl.events_log (log, seq, ordinal);

CREATE TABLE orderctl.small_tables (
  table_name text NOT NULL,
  key text NOT NULL,
  value json NOT NULL,
  place bigint GENERATED ALWAYS AS IDENTITY,
  PRIMARY KEY (table_name, key)
);

CREATE TABLE orderctl.effects (
  id text PRIMARY KEY,
  kind text NOT NULL,
  key text NOT NULL,
  fields json NOT NULL,
  state text NOT NULL CHECK (state IN ('due', 'trying', 'parked')),
  due_at double precision NOT NULL,
  attempts integer NOT NULL,
  first_tried_at double precision,
  place bigint GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX effects_due ON orderctl.effects (kind, due_at, place) WHERE state <> 'parked';

CREATE TABLE orderctl.outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  destination text NOT NULL,
  -- A message as JSON; for a record: its id, topic and headers; its key and value have columns of their own.
  body json NOT NULL,
  key bytea,
  value bytea
);
CREATE INDEX outbox_by_destination ON orderctl.outbox (destination, id);

CREATE TABLE orderctl.undelivered (
  name text PRIMARY KEY,
  digest text NOT NULL,
  body json NOT NULL,
  key bytea,
  value bytea
);

CREATE TABLE orderctl.positions (
  processor text NOT NULL,
  topic text NOT NULL,
  partition integer NOT NULL,
  next_offset bigint NOT NULL CHECK (next_offset >= 0),
  last_offset bigint,
  last_timestamp bigint,
  last_crc bigint,
  cluster_id text,
  PRIMARY KEY (processor, topic, partition)
);

CREATE TABLE orderctl.kept_files (
  name text PRIMARY KEY,
  content text NOT NULL
);

CREATE TABLE orderctl.instances (
  backend integer PRIMARY KEY,
  pid integer NOT NULL,
  identity text,
  purpose text NOT NULL,
  started_at double precision NOT NULL,
  is_consumer boolean NOT NULL,
  status json,
  answered text
);
`;
