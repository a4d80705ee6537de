/*
 * Edits by SQL. Statement triggers on users, products and inventory note what a statement changed; a deferred trigger
 * gives it a number and logs it when the transaction commits, so that the lock of commits is not held while a user at
 * a prompt thinks. Our own transactions log their edits themselves and skip all this by `orderctl.is_own`, which ends
 * with the transaction.
 *
 * An item is a product with a row in inventory: a product without one is not an item yet.
 */
export const SQL_EDITS = `
-- Rows that the commands would refuse.
CREATE FUNCTION orderctl.is_name(name text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN name ~ '^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$';
CREATE FUNCTION orderctl.is_extra(extra json) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN json_typeof(extra) = 'object'
    AND NOT EXISTS (SELECT FROM json_each(extra) e WHERE json_typeof(e.value) <> 'string');
ALTER TABLE orderctl.users
  ADD CONSTRAINT user_name_has_letters_digits_and_no_space CHECK (orderctl.is_name(user_name)),
  ADD CONSTRAINT extra_is_an_object_of_texts CHECK (orderctl.is_extra(extra));
ALTER TABLE orderctl.products
  ADD CONSTRAINT item_has_letters_digits_and_no_space CHECK (orderctl.is_name(item)),
  ADD CONSTRAINT name_is_one_line_of_256_characters_at_most
    CHECK (length(name) BETWEEN 1 AND 256 AND name !~ '[[:cntrl:]]' AND name !~ '^[=+@-]'),
  ADD CONSTRAINT reorder_level_is_a_count CHECK (reorder_level BETWEEN 0 AND 9007199254740991),
  ADD CONSTRAINT extra_is_an_object_of_texts CHECK (orderctl.is_extra(extra));
-- A sale in a shop may take stock below zero, an edit may not.
ALTER TABLE orderctl.inventory DROP CONSTRAINT inventory_quantity_check,
  ADD CONSTRAINT quantity_is_a_count CHECK (quantity BETWEEN -9007199254740991 AND 9007199254740991);

CREATE TABLE orderctl.sql_edits (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  transaction xid8 NOT NULL,
  -- The first edit of its transaction, for which the trigger logs all of them.
  is_first boolean NOT NULL,
  by_user text NOT NULL,
  edit json NOT NULL
);
CREATE INDEX sql_edits_by_transaction ON orderctl.sql_edits (transaction);

CREATE FUNCTION orderctl.note_sql_edits(edits json[]) RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO orderctl.sql_edits (transaction, is_first, by_user, edit)
  SELECT pg_current_xact_id(),
    place = 1 AND NOT EXISTS (SELECT FROM orderctl.sql_edits WHERE transaction = pg_current_xact_id()),
    -- Who asked for it, and not the owner of this function, as whom it runs.
    CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role') END, edit
  FROM unnest(edits) WITH ORDINALITY AS e (edit, place)
$$;

CREATE FUNCTION orderctl.log_sql_edits() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  number bigint;
BEGIN
  -- COMMIT_LOCK of transactions/seq.ts.
  PERFORM pg_advisory_xact_lock(1869767682);
  number := nextval('orderctl.commit_seq');
  WITH noted AS (
    DELETE FROM orderctl.sql_edits WHERE transaction = pg_current_xact_id() RETURNING id, by_user, edit
  )
  INSERT INTO orderctl.edits (seq, ordinal, at, by_user, via, edit, is_news)
  SELECT number, row_number() OVER (ORDER BY id) - 1, floor(extract(epoch FROM clock_timestamp()) * 1000), by_user,
    'sql', edit, true
  FROM noted;
  PERFORM pg_notify('orderctl_edited', '');
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER log_sql_edits AFTER INSERT ON orderctl.sql_edits
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.is_first) EXECUTE FUNCTION orderctl.log_sql_edits();

CREATE FUNCTION orderctl.user_edit(name text, before json, after json) RETURNS json LANGUAGE sql IMMUTABLE
  RETURN json_build_object('kind', 'user', 'user', name, 'before', before, 'after', after);
CREATE FUNCTION orderctl.user_row(u orderctl.users) RETURNS json LANGUAGE sql STABLE
  RETURN CASE WHEN (u).user_name IS NULL THEN NULL
    ELSE json_build_object('user', (u).user_name, 'status', (u).status, 'extra', (u).extra) END;
CREATE FUNCTION orderctl.item_edit(item text, before json, after json) RETURNS json LANGUAGE sql IMMUTABLE
  RETURN json_build_object('kind', 'item', 'item', item, 'before', before, 'after', after);
CREATE FUNCTION orderctl.item_row(p orderctl.products, quantity bigint) RETURNS json LANGUAGE sql STABLE
  RETURN CASE WHEN quantity IS NULL THEN NULL
    ELSE json_build_object('item', (p).item, 'quantity', quantity, 'name', (p).name, 'price', (p).price::text,
      'reorderLevel', (p).reorder_level, 'extra', (p).extra) END;

CREATE FUNCTION orderctl.users_edited() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  edits json[];
BEGIN
  CASE TG_OP
    WHEN 'INSERT' THEN
      SELECT array_agg(orderctl.user_edit(n.user_name, NULL, orderctl.user_row(n)) ORDER BY n.place)
        INTO edits FROM new_rows n;
    WHEN 'UPDATE' THEN
      SELECT array_agg(e ORDER BY place) INTO edits FROM (
        SELECT orderctl.user_edit(user_name, orderctl.user_row(o), orderctl.user_row(n)) AS e,
          coalesce(o.place, n.place) AS place
        FROM old_rows o FULL JOIN new_rows n USING (user_name)
        WHERE orderctl.user_row(o)::text IS DISTINCT FROM orderctl.user_row(n)::text) changed;
    WHEN 'DELETE' THEN
      SELECT array_agg(orderctl.user_edit(o.user_name, orderctl.user_row(o), NULL) ORDER BY o.place)
        INTO edits FROM old_rows o;
    WHEN 'TRUNCATE' THEN
      SELECT array_agg(orderctl.user_edit(o.user_name, orderctl.user_row(o), NULL) ORDER BY o.place)
        INTO edits FROM orderctl.users o;
  END CASE;
  PERFORM orderctl.note_sql_edits(edits) WHERE edits IS NOT NULL;
  RETURN NULL;
END $$;

CREATE FUNCTION orderctl.inventory_edited() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  edits json[];
  refused text;
  wanted bigint;
BEGIN
  CASE TG_OP
    WHEN 'INSERT' THEN
      SELECT n.item, n.quantity INTO refused, wanted FROM new_rows n WHERE n.quantity < 0 LIMIT 1;
      SELECT array_agg(orderctl.item_edit(p.item, NULL, orderctl.item_row(p, n.quantity)) ORDER BY p.place)
        INTO edits FROM new_rows n JOIN orderctl.products p USING (item);
    WHEN 'UPDATE' THEN
      SELECT n.item, n.quantity INTO refused, wanted FROM new_rows n LEFT JOIN old_rows o USING (item)
        WHERE n.quantity < 0 AND n.quantity < coalesce(o.quantity, 0) LIMIT 1;
      SELECT array_agg(
          orderctl.item_edit(p.item, orderctl.item_row(p, o.quantity), orderctl.item_row(p, n.quantity)) ORDER BY p.place)
        INTO edits FROM old_rows o FULL JOIN new_rows n USING (item) JOIN orderctl.products p USING (item)
        WHERE o.quantity IS DISTINCT FROM n.quantity;
    WHEN 'DELETE' THEN
      SELECT array_agg(orderctl.item_edit(p.item, orderctl.item_row(p, o.quantity), NULL) ORDER BY p.place)
        INTO edits FROM old_rows o JOIN orderctl.products p USING (item);
    WHEN 'TRUNCATE' THEN
      SELECT array_agg(orderctl.item_edit(p.item, orderctl.item_row(p, o.quantity), NULL) ORDER BY p.place)
        INTO edits FROM orderctl.inventory o JOIN orderctl.products p USING (item);
  END CASE;
  IF refused IS NOT NULL THEN
    RAISE EXCEPTION 'the quantity of % would be %', refused, wanted
      USING ERRCODE = 'check_violation', HINT = 'An edit cannot take stock below zero.';
  END IF;
  PERFORM orderctl.note_sql_edits(edits) WHERE edits IS NOT NULL;
  RETURN NULL;
END $$;

CREATE FUNCTION orderctl.products_edited() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  edits json[];
BEGIN
  SELECT array_agg(
      orderctl.item_edit(n.item, orderctl.item_row(o, i.quantity), orderctl.item_row(n, i.quantity)) ORDER BY n.place)
    INTO edits FROM old_rows o JOIN new_rows n USING (item) JOIN orderctl.inventory i USING (item)
    WHERE orderctl.item_row(o, i.quantity)::text <> orderctl.item_row(n, i.quantity)::text;
  PERFORM orderctl.note_sql_edits(edits) WHERE edits IS NOT NULL;
  RETURN NULL;
END $$;

-- Deleted before the product, without which it could no longer be logged.
CREATE FUNCTION orderctl.product_goes() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM orderctl.inventory WHERE item = OLD.item;
  RETURN OLD;
END $$;

CREATE FUNCTION orderctl.inventory_touched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END $$;

CREATE TRIGGER inserted AFTER INSERT ON orderctl.users REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT WHEN (current_setting('orderctl.is_own', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION orderctl.users_edited();
CREATE TRIGGER updated AFTER UPDATE ON orderctl.users REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT WHEN (current_setting('orderctl.is_own', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION orderctl.users_edited();
CREATE TRIGGER deleted AFTER DELETE ON orderctl.users REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT WHEN (current_setting('orderctl.is_own', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION orderctl.users_edited();
CREATE TRIGGER truncated BEFORE TRUNCATE ON orderctl.users
  FOR EACH STATEMENT WHEN (current_setting('orderctl.is_own', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION orderctl.users_edited();

CREATE TRIGGER inserted AFTER INSERT ON orderctl.inventory REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT WHEN (current_setting('orderctl.is_own', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION orderctl.inventory_edited();
CREATE TRIGGER updated AFTER UPDATE ON orderctl.inventory REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT WHEN (current_setting('orderctl.is_own', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION orderctl.inventory_edited();
CREATE TRIGGER deleted AFTER DELETE ON orderctl.inventory REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT WHEN (current_setting('orderctl.is_own', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION orderctl.inventory_edited();
CREATE TRIGGER truncated BEFORE TRUNCATE ON orderctl.inventory
  FOR EACH STATEMENT WHEN (current_setting('orderctl.is_own', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION orderctl.inventory_edited();
CREATE TRIGGER touched BEFORE UPDATE ON orderctl.inventory
  FOR EACH ROW WHEN (current_setting('orderctl.is_own', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION orderctl.inventory_touched();

CREATE TRIGGER updated AFTER UPDATE ON orderctl.products REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT WHEN (current_setting('orderctl.is_own', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION orderctl.products_edited();
CREATE TRIGGER deleted BEFORE DELETE ON orderctl.products
  FOR EACH ROW WHEN (current_setting('orderctl.is_own', true) IS DISTINCT FROM 'on')
  EXECUTE FUNCTION orderctl.product_goes();
`;
