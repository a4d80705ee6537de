-- Create stream from orders
CREATE STREAM orders_stream (
    order_id VARCHAR KEY,
    customer_id VARCHAR,
    items ARRAY<STRUCT<product_id VARCHAR, quantity INT, unit_price DECIMAL(10,2)>>,
    total_amount DECIMAL(10,2),
    created_at TIMESTAMP
) WITH (
    KAFKA_TOPIC='orders.created',
    VALUE_FORMAT='AVRO'
);

-- Real-time order metrics (tumbling window)
CREATE TABLE order_metrics AS
SELECT
    TIMESTAMPTOSTRING(WINDOWSTART, 'yyyy-MM-dd HH:mm') AS window_start,
    COUNT(*) AS order_count,
    SUM(total_amount) AS total_revenue,
    AVG(total_amount) AS avg_order_value
FROM orders_stream
WINDOW TUMBLING (SIZE 1 HOUR)
GROUP BY 1
EMIT CHANGES;

-- Top products by quantity sold
CREATE TABLE top_products AS
SELECT
    item->product_id AS product_id,
    SUM(item->quantity) AS total_quantity,
    SUM(item->quantity * item->unit_price) AS total_revenue
FROM orders_stream
CROSS JOIN UNNEST(items) AS item
GROUP BY item->product_id
EMIT CHANGES;
