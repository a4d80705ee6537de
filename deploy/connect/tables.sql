-- The tables that deploy/connect needs in a database, for `npm run connect` and for psql. Running this again changes
-- nothing. The user must be allowed to create schemas and publications and have REPLICATION; wal_level must be logical.

-- Rows that become orders, whichever program inserts them.
CREATE SCHEMA IF NOT EXISTS intake;
CREATE TABLE IF NOT EXISTS intake.order_requests (
  -- The id of the order: a row that is inserted or sent twice is one order.
  order_id text PRIMARY KEY DEFAULT gen_random_uuid()::text
    CHECK (order_id ~ '^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$'),
  user_name text NOT NULL CHECK (user_name <> ''),
  -- [{"item": "book", "quantity": 2}]
  items json NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- The order as it is sent. The fields are those of docs/schemas/orders.avsc, in the same order: Connect writes values
  -- by the position of their fields.
  message text NOT NULL
);

CREATE OR REPLACE FUNCTION intake.write_message() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  lines json;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    RAISE EXCEPTION 'order request % cannot be changed: it has been sent', OLD.order_id
      USING HINT = 'Insert another one. Old rows may be deleted: their orders stay.';
  END IF;
  SELECT json_agg(json_build_object('item', item, 'quantity', quantity, 'unit_price', NULL)) INTO lines
    FROM json_to_recordset(NEW.items) AS line (item text, quantity integer);
  IF lines IS NULL OR EXISTS (
    SELECT FROM json_to_recordset(NEW.items) AS line (item text, quantity integer)
    WHERE item IS NULL OR quantity IS NULL OR quantity < 1
  ) THEN
    RAISE EXCEPTION 'order request %: items must look like [{"item": "book", "quantity": 2}]', NEW.order_id
      USING ERRCODE = 'check_violation';
  END IF;
  NEW.message := json_build_object(
    'order_id', NEW.order_id,
    'user', NEW.user_name,
    'items', lines,
    'created_at', floor(extract(epoch FROM NEW.created_at) * 1000)::bigint
  );
  RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER write_message BEFORE INSERT OR UPDATE ON intake.order_requests
  FOR EACH ROW EXECUTE FUNCTION intake.write_message();

-- The tables that Debezium reads. Others edit them, in orderctl's store.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'orderctl_requests') THEN
    CREATE PUBLICATION orderctl_requests FOR TABLE intake.order_requests WITH (publish = 'insert');
  END IF;
  IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'orderctl_stock') THEN
    CREATE PUBLICATION orderctl_stock FOR TABLE orderctl.products, orderctl.inventory;
  END IF;
END
$$;

-- The schema in which the sinks create their tables.
CREATE SCHEMA IF NOT EXISTS analytics;
