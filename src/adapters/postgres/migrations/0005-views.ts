/*
 * Orders of the checkout as tables: views of its facts, which are the source of truth. The schema `shop` has the same
 * for other programs, under the names that shops use. Times are those of the commits; for an event, the time in the
 * shop.
 */
export const VIEWS = `
CREATE VIEW orderctl.payments AS
  SELECT key AS order_id,
    CASE WHEN bool_or(value ->> 'step' = 'refunded') THEN 'refunded'
      WHEN bool_or(value ->> 'step' = 'refund_owed') THEN 'refund_owed'
      WHEN bool_or(value ->> 'step' = 'paid') THEN 'paid'
      WHEN bool_or(value ->> 'step' = 'declined') THEN 'declined'
      WHEN bool_or(value ->> 'step' = 'not_charged') THEN 'not_charged'
      ELSE 'charge_owed' END AS status,
    max((value ->> 'amount')::numeric) AS amount,
    max(value ->> 'reference') FILTER (WHERE value ->> 'step' = 'paid') AS reference,
    max(value ->> 'reason') FILTER (WHERE value ->> 'step' IN ('declined', 'refund_owed')) AS reason,
    max((value ->> 'attempts')::integer) FILTER (WHERE value ->> 'step' IN ('paid', 'declined')) AS attempts,
    max((value ->> 'at')::timestamptz) FILTER (WHERE value ->> 'step' IN ('paid', 'declined')) AS answered_at,
    max((value ->> 'at')::timestamptz) FILTER (WHERE value ->> 'step' = 'refunded') AS refunded_at
  FROM orderctl.events_log
  WHERE log = 'checkout'
    AND value ->> 'step' IN ('charge_owed', 'paid', 'declined', 'not_charged', 'refund_owed', 'refunded')
  GROUP BY key;

CREATE VIEW orderctl.shipments AS
  SELECT r.key AS order_id, CASE WHEN d.key IS NULL THEN 'created' ELSE 'dispatched' END AS status,
    r.value -> 'items' AS lines, (r.value ->> 'at')::timestamptz AS created_at, d.value ->> 'carrier' AS carrier,
    d.value ->> 'tracking_number' AS tracking_number, (d.value ->> 'at')::timestamptz AS dispatched_at
  FROM orderctl.events_log r
  LEFT JOIN orderctl.events_log d ON d.log = 'checkout' AND d.key = r.key AND d.value ->> 'step' = 'dispatched'
  WHERE r.log = 'checkout' AND r.value ->> 'step' = 'reserved'
    AND NOT EXISTS (SELECT FROM orderctl.events_log c
      WHERE c.log = 'checkout' AND c.key = r.key AND c.value ->> 'step' = 'cancelled');

CREATE VIEW orderctl.notifications AS
  SELECT value ->> 'notification_id' AS notification_id, key AS order_id, value ->> 'cause' AS cause,
    (value ->> 'at')::timestamptz AS at
  FROM orderctl.events_log WHERE log = 'notifications';

CREATE VIEW orderctl.suppliers AS
  SELECT key AS supplier_id, value ->> 'name' AS name, value ->> 'contact' AS contact
  FROM orderctl.small_tables WHERE table_name = 'suppliers' AND value IS NOT NULL;

CREATE VIEW orderctl.reports AS
  SELECT key::date AS report_date, (value ->> 'total_sales')::numeric AS total_sales, value -> 'top_sellers' AS top_sellers,
    value -> 'low_stock' AS low_stock
  FROM orderctl.small_tables WHERE table_name = 'reports' AND value IS NOT NULL;

CREATE SCHEMA IF NOT EXISTS shop;
CREATE VIEW shop.products AS
  SELECT item AS product_id, name, extra ->> 'category' AS category, price FROM orderctl.products;
CREATE VIEW shop.inventory AS
  SELECT item AS product_id, quantity AS quantity_on_hand, updated_at AS last_updated FROM orderctl.inventory;
CREATE VIEW shop.orders AS
  SELECT o.order_id, l.item AS product_id, l.quantity::bigint AS quantity, 'online'::text AS source,
    to_timestamp(o.decided_at / 1000) AS timestamp
  FROM orderctl.orders o JOIN orderctl.order_lines l USING (order_id) WHERE o.status = 'accepted'
  UNION ALL
  SELECT s.order_id, l.line ->> 'product_id', (l.line ->> 'quantity')::bigint, 'online', s.created_at
  FROM orderctl.shipments s CROSS JOIN LATERAL json_array_elements(s.lines) AS l (line)
  UNION ALL
  SELECT coalesce(value ->> 'order_id', key), value ->> 'product_id', (value ->> 'quantity')::bigint,
    CASE value ->> 'source' WHEN 'store_sales' THEN 'store' ELSE 'online' END, (value ->> 'occurred_at')::timestamptz
  FROM orderctl.events_log
  WHERE log = 'events_log' AND value ->> 'status' = 'applied' AND value ->> 'source' <> 'supplier_restocks';
CREATE VIEW shop.suppliers AS SELECT supplier_id, name, contact FROM orderctl.suppliers;
CREATE VIEW shop.events_log AS
  SELECT key AS event_id, decode(value ->> 'raw', 'base64') AS raw_event, (value ->> 'at')::timestamptz AS processed_at,
    value ->> 'status' AS status
  FROM orderctl.events_log WHERE log = 'events_log';
CREATE VIEW shop.reports AS SELECT report_date, total_sales, top_sellers, low_stock FROM orderctl.reports;
`;
