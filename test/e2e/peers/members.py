"""Three members of one group come and go, as librdkafka does it.

Reads one job as JSON from standard input:
  brokers, topic, group, partitions (of the topic), records (how many it holds), strategy (an assignor's name)
Prints as JSON: how many partitions each member had after each change, how often each value was read, and what the
group has committed in the end.
"""

import json
import os
import sys
import time
import traceback

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

PATIENCE_S = 60


def commit_rest(member):
    """What could not be committed between two generations."""
    try:
        member.commit(asynchronous=False)
    except KafkaException as error:
        if error.args[0].code() != KafkaError._NO_OFFSET:
            raise


def main():
    job = json.load(sys.stdin)
    members = []
    times_read = {}

    def join():
        member = Consumer(
            {
                "bootstrap.servers": job["brokers"],
                "group.id": job["group"],
                "partition.assignment.strategy": job["strategy"],
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "session.timeout.ms": 6000,
                "heartbeat.interval.ms": 500,
            }
        )
        member.subscribe([job["topic"]])
        members.append(member)

    def poll():
        for member in members:
            message = member.poll(0.05)
            if message is None:
                continue
            if message.error():
                sys.exit(f"a member failed: {message.error()}")
            value = message.value().decode()
            times_read[value] = times_read.get(value, 0) + 1
            # Not waited for: a member that does not poll holds up the rebalance that its commit would wait for.
            member.commit(message=message, asynchronous=True)

    def until(what, holds):
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > deadline:
                sys.exit(f"not within {PATIENCE_S} s: {what}; partitions {sizes()}")
            poll()

    def sizes():
        return sorted(len(member.assignment()) for member in members)

    def settled():
        """Every partition has one member, and each member its fair share."""
        held = [(each.topic, each.partition) for member in members for each in member.assignment()]
        shares = sizes()
        return len(held) == len(set(held)) == job["partitions"] and shares[-1] - shares[0] <= 1

    def committed_offsets():
        partitions = [TopicPartition(job["topic"], index) for index in range(job["partitions"])]
        return {each.partition: each.offset for each in members[0].committed(partitions, timeout=30)}

    def committed_all():
        for member in members:
            commit_rest(member)
        # Below zero where nothing is committed.
        return sum(max(0, offset) for offset in committed_offsets().values()) >= job["records"]

    phases = []
    for _ in range(3):
        join()
        until(f"{len(members)} members to share", settled)
        phases.append(sizes())
    members.pop(0).close()
    until("two members to share", settled)
    phases.append(sizes())
    # A partition that moved before its last commit is read again from there: all may be read and not all committed.
    until("all records to be read and committed", lambda: len(times_read) == job["records"] and committed_all())
    committed = committed_offsets()
    for member in members:
        member.close()
    print(json.dumps({"phases": phases, "times_read": times_read, "committed": committed}))


try:
    main()
except BaseException:
    traceback.print_exc()
    # Members that were not closed keep the interpreter for minutes.
    sys.stderr.flush()
    os._exit(1)
