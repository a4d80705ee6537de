"""Proves by SASL who it is.

Reads one job as JSON from standard input:
  brokers, mechanism, user, password
Prints as JSON how many brokers it found, or why it was refused.
"""

import json
import sys

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient


def main():
    job = json.load(sys.stdin)
    errors = []
    admin = AdminClient(
        {
            "bootstrap.servers": job["brokers"],
            "security.protocol": "sasl_plaintext",
            "sasl.mechanism": job["mechanism"],
            "sasl.username": job["user"],
            "sasl.password": job["password"],
            "error_cb": lambda error: errors.append(str(error)),
        }
    )
    try:
        print(json.dumps(f"{len(admin.list_topics(timeout=5).brokers)} broker"))
    except KafkaException as error:
        admin.poll(0)
        print(json.dumps("; ".join([*errors, str(error)])))


main()
