"""Makes topics and fills them.

Reads one job as JSON from standard input:
  brokers, topics: {name: partitions}, records: how many each gets, of the values v0, v1 …
Prints how many were sent, as JSON.
"""

import json
import sys

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic


def main():
    job = json.load(sys.stdin)
    settings = {"bootstrap.servers": job["brokers"]}
    wanted = [NewTopic(name, partitions, 1) for name, partitions in job["topics"].items()]
    # Kept by a name: what it has begun ends with it.
    admin = AdminClient(settings)
    for created in admin.create_topics(wanted).values():
        created.result(30)
    producer = Producer(settings)
    sent = 0
    for topic in job["topics"]:
        for index in range(job["records"]):
            producer.produce(topic, value=f"v{index}")
            sent += 1
    if producer.flush(30) > 0:
        sys.exit("not everything was delivered within 30 s")
    print(json.dumps(sent))


main()
