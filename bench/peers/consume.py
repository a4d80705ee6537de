"""The same job in plain Python with confluent-kafka and fastavro: tables in memory, a line per order, one fsync a batch.

At least once: after a crash the batch in hand is read again, and its stock is deducted twice.
"""

import io
import json
import os
import sys
import time

import fastavro
from confluent_kafka import Consumer

brokers, topic, group, folder, count, users, items, schema_file = sys.argv[1:9]
with open(schema_file, encoding="utf-8") as file:
    schema = fastavro.parse_schema(json.load(file))
paid = {f"u{i}" for i in range(int(users))}
stock = {f"i{i}": 1_000_000_000 for i in range(int(items))}
consumer = Consumer(
    {
        "bootstrap.servers": brokers,
        "group.id": group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    }
)
consumer.subscribe([topic])
handled, first = 0, 0.0
with open(os.path.join(folder, "orders.jsonl"), "a", encoding="utf-8") as log:
    while handled < int(count):
        messages = consumer.consume(5000, timeout=0.5)
        if not messages:
            continue
        first = first or time.time()
        for message in messages:
            order = fastavro.schemaless_reader(io.BytesIO(message.value()[5:]), schema, None)
            if order["user"] not in paid:
                continue
            lines = order["items"]
            if any(stock.get(line["item"], 0) < line["quantity"] for line in lines):
                continue
            for line in lines:
                stock[line["item"]] -= line["quantity"]
            log.write(json.dumps({"order_id": order["order_id"], "user": order["user"]}) + "\n")
        log.flush()
        os.fdatasync(log.fileno())
        consumer.commit(asynchronous=True)
        handled += len(messages)
print(json.dumps({"first": first * 1000, "last": time.time() * 1000, "count": handled}))
consumer.close()
