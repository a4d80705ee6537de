"""Sends orders as another team would: confluent-kafka with its own AvroSerializer.

Reads one job as JSON from standard input:
  brokers, registry, topic, schema (Avro, as an object), compression (of librdkafka, default none),
  batches: [{"records": [value, ...], "abort": false}]; with "transactional_id" each batch is a transaction
Prints how many records were sent, aborted ones included.
"""

import json
import sys
from decimal import Decimal

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext


def with_decimals(order, _context):
    """The logical type decimal takes a Decimal; JSON has none."""
    for line in order.get("items", []):
        if isinstance(line, dict) and line.get("unit_price") is not None:
            line["unit_price"] = Decimal(line["unit_price"])
    if order.get("total_amount") is not None:
        order["total_amount"] = Decimal(order["total_amount"])
    return order


def main():
    job = json.load(sys.stdin)
    registry = SchemaRegistryClient({"url": job["registry"]})
    serialize = AvroSerializer(registry, json.dumps(job["schema"]), with_decimals)
    settings = {
        "bootstrap.servers": job["brokers"],
        "compression.type": job.get("compression", "none"),
        "linger.ms": 20,
    }
    transactional = "transactional_id" in job
    if transactional:
        settings["transactional.id"] = job["transactional_id"]
    producer = Producer(settings)
    if transactional:
        producer.init_transactions(30)

    failures = []
    sent = 0
    context = SerializationContext(job["topic"], MessageField.VALUE)
    for batch in job["batches"]:
        if transactional:
            producer.begin_transaction()
        for order in batch["records"]:
            producer.produce(
                job["topic"],
                key=order["order_id"],
                value=serialize(order, context),
                on_delivery=lambda error, _message: error and failures.append(str(error)),
            )
            sent += 1
        if producer.flush(30) > 0:
            sys.exit("not everything was delivered within 30 s")
        if transactional and batch.get("abort"):
            producer.abort_transaction(30)
        elif transactional:
            producer.commit_transaction(30)
    if failures:
        sys.exit("; ".join(failures))
    print(sent)


main()
