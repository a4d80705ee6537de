"""Transactions as librdkafka makes them: committed, aborted, with offsets, and fenced by a successor.

Reads one job as JSON from standard input:
  brokers, input and output (topics of one partition each), group
Sends ten records to `input` by an idempotent producer with each compression, moves them in two transactions to
`output`, of which the first is aborted. Prints as JSON what a read_committed and a read_uncommitted consumer see of
`output`, the offset that the group has committed after each transaction, and the name of the error that a fenced
producer gets.
"""

import json
import sys

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

COMPRESSIONS = ["none", "gzip", "snappy", "lz4", "zstd"]


def read_all(brokers, topic, isolation):
    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": "reads-all",
            "isolation.level": isolation,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    values = []
    while True:
        message = consumer.poll(30)
        if message is None:
            sys.exit(f"{topic} does not end")
        if message.error():
            break
        values.append(message.value().decode())
    consumer.close()
    return values


def main():
    job = json.load(sys.stdin)
    brokers = job["brokers"]
    failures = []
    for compression in COMPRESSIONS:
        producer = Producer(
            {"bootstrap.servers": brokers, "enable.idempotence": True, "compression.type": compression}
        )
        for index in range(2):
            producer.produce(
                job["input"],
                value=f"{compression}-{index}" + "." * 500,
                partition=0,
                on_delivery=lambda error, _message: error and failures.append(str(error)),
            )
        if producer.flush(30) > 0:
            sys.exit("not everything was delivered within 30 s")
    if failures:
        sys.exit("; ".join(failures))

    consumer = Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": job["group"],
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "session.timeout.ms": 6000,
        }
    )
    consumer.subscribe([job["input"]])
    messages = consumer.consume(num_messages=10, timeout=30)
    values = [message.value().decode().rstrip(".") for message in messages]
    producer = Producer({"bootstrap.servers": brokers, "transactional.id": f"{job['group']}-mover"})
    producer.init_transactions(30)
    committed_after = []
    for name, commit in (("aborted", False), ("committed", True)):
        producer.begin_transaction()
        for value in values:
            producer.produce(job["output"], value=f"{name} {value}", partition=0)
        # Or an abort would drop what has not been sent, and there would be nothing to see of it.
        producer.flush(30)
        producer.send_offsets_to_transaction(
            [TopicPartition(job["input"], 0, len(values))], consumer.consumer_group_metadata(), 30
        )
        if commit:
            producer.commit_transaction(30)
        else:
            producer.abort_transaction(30)
        [offset] = consumer.committed([TopicPartition(job["input"], 0)], timeout=30)
        committed_after.append(offset.offset)
    consumer.close()

    successor = Producer({"bootstrap.servers": brokers, "transactional.id": f"{job['group']}-mover"})
    producer.begin_transaction()
    producer.produce(job["output"], value="of a fenced producer", partition=0)
    producer.flush(30)
    successor.init_transactions(30)
    fenced = "nothing"
    try:
        producer.commit_transaction(30)
    except KafkaException as error:
        fenced = error.args[0].name()

    print(
        json.dumps(
            {
                "moved": values,
                "committed_after": committed_after,
                "fenced": fenced,
                "read_committed": read_all(brokers, job["output"], "read_committed"),
                "read_uncommitted": len(read_all(brokers, job["output"], "read_uncommitted")),
            }
        )
    )


main()
