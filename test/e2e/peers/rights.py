"""What each user of a secured Kafka may do, by what the brokers say and by being refused.

Reads one job as JSON from standard input:
  brokers, ca, users: {name: password}, topics, groups
Prints as JSON for each user: `topics` and `groups`, the operations that it may do on each; and `refused`, the error of
each attempt at what is not among them: to write and to read each topic, to read the offsets of each group, and to begin
a transaction.
"""

import json
import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

SECONDS = 60


def operations(described):
    found = {}
    for name, future in described.items():
        try:
            found[name] = sorted(operation.name for operation in future.result(SECONDS).authorized_operations)
        except KafkaException as error:
            if not error.args[0].name().endswith("_AUTHORIZATION_FAILED"):
                raise
            found[name] = []
    return found


def refused_writes(settings, topics):
    errors = {}
    producer = Producer(settings)
    for topic in topics:
        producer.produce(
            topic,
            value=b"{}",
            on_delivery=lambda error, _, topic=topic: errors.update({topic: error.name() if error else None}),
        )
    producer.flush(SECONDS)
    return errors


def refused_reads(settings, topics):
    errors = {}
    consumer = Consumer({**settings, "group.id": "nobody", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0) for topic in topics])
    end = time.monotonic() + SECONDS
    while len(errors) < len(topics) and time.monotonic() < end:
        message = consumer.poll(1)
        if message is not None:
            errors[message.topic()] = message.error().name() if message.error() else None
    consumer.close()
    return errors


def refused_groups(settings, groups, topic):
    errors = {}
    for group in groups:
        consumer = Consumer({**settings, "group.id": group})
        try:
            consumer.committed([TopicPartition(topic, 0)], SECONDS)
            errors[group] = None
        except KafkaException as error:
            errors[group] = error.args[0].name()
        consumer.close()
    return errors


def refused_transaction(settings, name):
    try:
        Producer({**settings, "transactional.id": name}).init_transactions(SECONDS)
    except KafkaException as error:
        return error.args[0].name()
    return None


def main():
    job = json.load(sys.stdin)
    found = {}
    for user, password in job["users"].items():
        settings = {
            "bootstrap.servers": job["brokers"],
            "security.protocol": "SASL_SSL",
            "ssl.ca.location": job["ca"],
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": password,
            "log_level": 0,
        }
        admin = AdminClient(settings)
        topics = operations(
            admin.describe_topics(
                TopicCollection(job["topics"]), include_authorized_operations=True, request_timeout=SECONDS
            )
        )
        groups = operations(
            admin.describe_consumer_groups(
                job["groups"], include_authorized_operations=True, request_timeout=SECONDS
            )
        )
        without = lambda of, operation: [name for name, may in of.items() if operation not in may]
        found[user] = {
            "topics": topics,
            "groups": groups,
            "refused": {
                "write": refused_writes(settings, without(topics, "WRITE")),
                "read": refused_reads(settings, without(topics, "READ")),
                "group": refused_groups(settings, without(groups, "READ"), job["topics"][0]),
                "transaction": refused_transaction(settings, user),
            },
        }
    print(json.dumps(found))


main()
