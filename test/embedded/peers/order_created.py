"""An order service of the com.tutorial.orders examples: confluent-kafka's AvroSerializer with their schema.

Reads one job as JSON from standard input: registry, credentials; value: an order that orderctl wrote, or null
(Confluent wire format, base64). Prints that order as it was read, and one of its own as it was written.
"""

import base64
import json
import sys
from datetime import datetime, timezone
from decimal import Decimal

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

SCHEMA = """
{
  "type": "record",
  "name": "OrderCreated",
  "namespace": "com.tutorial.orders",
  "fields": [
    {"name": "order_id", "type": "string"},
    {"name": "customer_id", "type": "string"},
    {"name": "items", "type": {"type": "array", "items": {
      "type": "record",
      "name": "OrderItem",
      "fields": [
        {"name": "product_id", "type": "string"},
        {"name": "quantity", "type": "int"},
        {"name": "unit_price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}}
      ]
    }}},
    {"name": "total_amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}},
    {"name": "shipping_address", "type": "string"},
    {"name": "created_at", "type": {"type": "long", "logicalType": "timestamp-millis"}}
  ]
}
"""


def main():
    job = json.load(sys.stdin)
    client = SchemaRegistryClient({"url": job["registry"], "basic.auth.user.info": job["credentials"]})
    context = SerializationContext("orders.created", MessageField.VALUE)
    serializer = AvroSerializer(client, SCHEMA, lambda order, _: order)
    price = Decimal("12.50")
    event = {
        "order_id": "ORD-2",
        "customer_id": "bob",
        "items": [{"product_id": "P-567", "quantity": 3, "unit_price": price}],
        "total_amount": 3 * price,
        "shipping_address": "Elm Street 2, Zürich",
        "created_at": int(datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc).timestamp() * 1000),
    }
    value = serializer(event, context)
    theirs = None
    if job["value"] is not None:
        theirs = AvroDeserializer(client)(base64.b64decode(job["value"]), context)
    versions = client.get_versions("orders.created-value")
    answer = {"order": theirs, "value": base64.b64encode(value).decode(), "versions": versions}
    print(json.dumps(answer, default=str))


main()
