-- The logs of a storage folder as ClickHouse tables, and sales as views of them, with the same figures as
-- "orderctl analytics" and "orderctl report". A log can be loaded any number of times: each line counts once.

CREATE DATABASE IF NOT EXISTS orderctl;

CREATE TABLE IF NOT EXISTS orderctl.orders (
  order_id String,
  user String,
  items Array(Tuple(item String, quantity Int64, unit_price Nullable(String))),
  created_at String,
  accepted_at String
) ENGINE = ReplacingMergeTree ORDER BY order_id;

CREATE TABLE IF NOT EXISTS orderctl.rejections (
  order_id String,
  user String,
  reason String,
  created_at String,
  rejected_at String
) ENGINE = ReplacingMergeTree ORDER BY order_id;

-- Each order has each step once.
CREATE TABLE IF NOT EXISTS orderctl.checkout (
  order_id String,
  step String,
  at String,
  items Array(Tuple(product_id String, quantity Int64, unit_price String)),
  created_at String
) ENGINE = ReplacingMergeTree ORDER BY (order_id, step);

CREATE TABLE IF NOT EXISTS orderctl.events_log (
  event_id String,
  source String,
  product_id String,
  quantity Int64,
  unit_price Nullable(String),
  occurred_at String,
  status String,
  at String
) ENGINE = ReplacingMergeTree ORDER BY event_id;

-- The outcome of each order of the checkout.
CREATE OR REPLACE VIEW orderctl.checkout_orders AS
SELECT
  order_id,
  parseDateTime64BestEffort(anyIf(created_at, step IN ('validated', 'rejected')), 3, 'UTC') AS placed_at,
  anyIf(items, step = 'reserved') AS items,
  countIf(step = 'reserved') > 0 AS is_reserved,
  countIf(step = 'cancelled') > 0 AS is_cancelled,
  countIf(step = 'refunded') > 0 AS is_refunded
FROM orderctl.checkout FINAL
GROUP BY order_id
HAVING countIf(step IN ('validated', 'rejected')) > 0;

-- Every order and every sale once, at the time at which it was placed.
CREATE OR REPLACE VIEW orderctl.placed AS
SELECT order_id AS id, 'direct' AS channel, parseDateTime64BestEffort(created_at, 3, 'UTC') AS placed_at, 1 AS is_completed
FROM orderctl.orders FINAL
UNION ALL
SELECT order_id, 'direct', parseDateTime64BestEffort(created_at, 3, 'UTC'), 0 FROM orderctl.rejections FINAL
UNION ALL
SELECT order_id, 'checkout', placed_at, toUInt8(is_reserved AND NOT is_cancelled) FROM orderctl.checkout_orders
UNION ALL
SELECT
  event_id,
  if(source = 'store_sales', 'store', 'online'),
  parseDateTime64BestEffort(occurred_at, 3, 'UTC'),
  toUInt8(status = 'applied')
FROM orderctl.events_log FINAL
WHERE source <> 'supplier_restocks';

-- Every line that was sold and not refunded since. A line without a price adds no revenue.
CREATE OR REPLACE VIEW orderctl.sales AS
SELECT
  channel,
  placed_at,
  product_id,
  quantity,
  coalesce(toDecimal128(price, 2), toDecimal128(0, 2)) * quantity AS revenue
FROM (
  SELECT 'direct' AS channel, parseDateTime64BestEffort(created_at, 3, 'UTC') AS placed_at, line.item AS product_id,
    line.quantity AS quantity, line.unit_price AS price
  FROM orderctl.orders FINAL ARRAY JOIN items AS line
  UNION ALL
  SELECT 'checkout', placed_at, line.product_id, line.quantity, toNullable(line.unit_price)
  FROM (SELECT placed_at, items FROM orderctl.checkout_orders WHERE is_reserved AND NOT is_refunded)
  ARRAY JOIN items AS line
  UNION ALL
  SELECT if(source = 'store_sales', 'store', 'online'), parseDateTime64BestEffort(occurred_at, 3, 'UTC'), product_id,
    quantity, unit_price
  FROM orderctl.events_log FINAL
  WHERE status = 'applied' AND source <> 'supplier_restocks'
);

-- As in "orderctl analytics show", but without hours that have no order.
CREATE OR REPLACE VIEW orderctl.order_metrics AS
SELECT
  window_start,
  sum(orders) AS order_count,
  sum(revenues) AS total_revenue,
  if(sum(completed) = 0, NULL, sum(revenues) / sum(completed)) AS avg_order_value
FROM (
  SELECT toStartOfHour(placed_at) AS window_start, count() AS orders, sum(is_completed) AS completed,
    toDecimal128(0, 2) AS revenues
  FROM orderctl.placed GROUP BY window_start
  UNION ALL
  SELECT toStartOfHour(placed_at) AS window_start, 0, 0, sum(revenue) FROM orderctl.sales GROUP BY window_start
)
GROUP BY window_start
ORDER BY window_start;

-- As in "orderctl analytics top".
CREATE OR REPLACE VIEW orderctl.top_products AS
SELECT product_id, sum(quantity) AS total_quantity, sum(revenue) AS total_revenue
FROM orderctl.sales
GROUP BY product_id
ORDER BY total_revenue DESC, total_quantity DESC, product_id;

-- As in the CSV of "orderctl report daily --time-zone UTC".
CREATE OR REPLACE VIEW orderctl.daily_sales AS
SELECT
  toDate(placed_at) AS report_date,
  product_id,
  channel AS source,
  sum(quantity) AS total_quantity,
  sum(revenue) AS total_revenue
FROM orderctl.sales
GROUP BY report_date, product_id, source
ORDER BY report_date, product_id, source;
