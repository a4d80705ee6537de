/** An int and a long as Java writes them. */
export function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

export function long(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

/** The headers that each vendor gives a record of partition 2, offset 45. */
export function vendorHeaders(topic: string): Readonly<Record<string, Record<string, Buffer | string>>> {
  return {
    connect: {
      '__connect.errors.topic': topic,
      '__connect.errors.partition': '2',
      '__connect.errors.offset': '45',
      '__connect.errors.connector.name': 'sink',
      '__connect.errors.task.id': '0',
      '__connect.errors.stage': 'VALUE_CONVERTER',
      '__connect.errors.class.name': 'io.confluent.connect.avro.AvroConverter',
      '__connect.errors.exception.class.name': 'org.apache.kafka.connect.errors.DataException',
      '__connect.errors.exception.message': 'Failed to deserialize',
      '__connect.errors.exception.stacktrace': 'at …\n\tat …',
    },
    spring: {
      'kafka_dlt-original-topic': topic,
      'kafka_dlt-original-partition': int(2),
      'kafka_dlt-original-offset': long(45),
      'kafka_dlt-original-timestamp': long(1_760_000_000_000),
      'kafka_dlt-original-timestamp-type': 'CreateTime',
      'kafka_dlt-original-consumer-group': 'billing',
      'kafka_dlt-exception-fqcn': 'org.springframework.kafka.listener.ListenerExecutionFailedException',
      'kafka_dlt-exception-cause-fqcn': 'java.lang.IllegalStateException',
      'kafka_dlt-exception-message': 'Listener failed',
      'kafka_dlt-exception-stacktrace': 'at …',
    },
    spring_retry: {
      'kafka_original-topic': topic,
      'kafka_original-partition': int(2),
      'kafka_original-offset': long(45),
      'kafka_original-timestamp': long(1_760_000_000_000),
      'kafka_exception-cause-fqcn': 'java.lang.IllegalStateException',
      'kafka_exception-message': 'Listener failed',
      'retry_topic-attempts': int(4),
      'retry_topic-backoff-timestamp': long(1_760_000_000_000),
    },
    spring_cloud_stream: {
      'x-original-topic': topic,
      'x-original-partition': int(2),
      'x-original-offset': long(45),
      'x-original-timestamp': long(1_760_000_000_000),
      'x-exception-fqcn': 'java.lang.IllegalArgumentException',
      'x-exception-message': 'Negative amount',
      'x-exception-stacktrace': 'at …',
    },
    streams: {
      '__streams.errors.exception': 'org.apache.kafka.common.errors.SerializationException',
      '__streams.errors.message': 'Size of data',
      '__streams.errors.stacktrace': 'at …',
      '__streams.errors.topic': topic,
      '__streams.errors.partition': '2',
      '__streams.errors.offset': '45',
    },
    share_group: {
      '__dlq.errors.topic': topic,
      '__dlq.errors.partition': '2',
      '__dlq.errors.offset': '45',
      '__dlq.errors.group': 'workers',
      '__dlq.errors.delivery.count': '5',
      '__dlq.errors.message': 'released too often',
    },
    smallrye: {
      'dead-letter-reason': 'it broke',
      'dead-letter-cause': 'deep down',
      'dead-letter-topic': topic,
      'dead-letter-partition': '2',
      'dead-letter-offset': '45',
      'dead-letter-exception-class-name': 'java.lang.RuntimeException',
    },
    orderctl: {
      'x-original-topic': topic,
      'x-original-partition': '2',
      'x-original-offset': '45',
      'x-original-timestamp': '2025-10-09T08:53:20.000Z',
      'x-original-group': 'orderctl',
      'x-error-code': 'undecodable',
      'x-error-message': 'byte 7: bad',
      'x-error-stage': 'decode',
      'x-attempts': '2',
      'x-failed-at': '2025-10-09T08:53:21.000Z',
    },
  };
}
