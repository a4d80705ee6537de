-- Orders of the checkout by the hour in which they were placed, and the best sellers, as in "orderctl analytics":
-- revenue is that of shipped orders, less those refunded since. The program that runs this file fills in ${brokers} and
-- ${registry}. Every order counts once, however often its records were sent. Bounded: it stops where the topics ended
-- when it started; without 'scan.bounded.mode' the same statements run forever, and their results are changelogs.

CREATE TABLE orders_created (
  order_id STRING,
  customer_id STRING,
  items ARRAY<ROW<product_id STRING, quantity INT, unit_price DECIMAL(10, 2)>>,
  total_amount DECIMAL(10, 2),
  created_at TIMESTAMP(3)
) WITH (
  'connector' = 'kafka',
  'topic' = 'orders.created',
  'properties.bootstrap.servers' = '${brokers}',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset',
  'value.format' = 'avro-confluent',
  'value.avro-confluent.url' = '${registry}'
);

CREATE TABLE shipments_created (
  order_id STRING,
  items ARRAY<ROW<product_id STRING, quantity INT, unit_price DECIMAL(10, 2)>>,
  created_at TIMESTAMP(3)
) WITH (
  'connector' = 'kafka',
  'topic' = 'shipments.created',
  'properties.bootstrap.servers' = '${brokers}',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset',
  'value.format' = 'avro-confluent',
  'value.avro-confluent.url' = '${registry}'
);

CREATE TABLE payments_refunded (
  order_id STRING,
  amount DECIMAL(10, 2)
) WITH (
  'connector' = 'kafka',
  'topic' = 'payments.refunded',
  'properties.bootstrap.servers' = '${brokers}',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset',
  'value.format' = 'avro-confluent',
  'value.avro-confluent.url' = '${registry}'
);

CREATE VIEW placed AS
SELECT order_id, MIN(created_at) AS placed_at FROM orders_created GROUP BY order_id;

CREATE VIEW shipped AS
SELECT order_id, items FROM (
  SELECT order_id, items, ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY created_at) AS n FROM shipments_created
) WHERE n = 1;

CREATE VIEW refunded AS
SELECT DISTINCT order_id FROM payments_refunded;

CREATE VIEW sales AS
SELECT s.order_id, p.placed_at, line.product_id, line.quantity, line.quantity * line.unit_price AS revenue
FROM shipped AS s
JOIN placed AS p ON p.order_id = s.order_id
LEFT JOIN refunded AS r ON r.order_id = s.order_id
CROSS JOIN UNNEST(s.items) AS line (product_id, quantity, unit_price)
WHERE r.order_id IS NULL;

CREATE VIEW revenues AS
SELECT order_id, SUM(revenue) AS revenue FROM sales GROUP BY order_id;

CREATE VIEW order_metrics AS
SELECT
  FLOOR(p.placed_at TO HOUR) AS window_start,
  COUNT(*) AS order_count,
  COALESCE(SUM(r.revenue), 0) AS total_revenue,
  SUM(r.revenue) / COUNT(r.order_id) AS avg_order_value
FROM placed AS p
LEFT JOIN revenues AS r ON r.order_id = p.order_id
GROUP BY FLOOR(p.placed_at TO HOUR);

CREATE VIEW top_products AS
SELECT product_id, SUM(quantity) AS total_quantity, SUM(revenue) AS total_revenue FROM sales GROUP BY product_id;

SELECT * FROM order_metrics;

SELECT * FROM top_products ORDER BY total_revenue DESC, total_quantity DESC, product_id LIMIT 10;
