import type { Broker, Producer, SendOutcome, SendRecord } from '../../ports/broker.ts';
import type { Clock } from '../../ports/clock.ts';
import type { BegunSpan, Tracer } from '../../ports/outside/tracer.ts';
import { lastHeader } from '../../ports/record.ts';
import { withHeaders } from '../dlq/headers.ts';
import { causeOf } from './cause.ts';

/** Wraps the broker so that each record that is sent gets a span. */
export function tracedBroker(broker: Broker, tracer: Tracer, clock: Clock): Broker {
  return {
    addresses: broker.addresses,
    admin: () => broker.admin(),
    consumer: () => broker.consumer(),
    producer: async () => tracedProducer(await broker.producer(), tracer, clock),
  };
}

function tracedProducer(producer: Producer, tracer: Tracer, clock: Clock): Producer {
  return {
    async send(topic, records, options) {
      const startMs = clock.now();
      const isCommitted = options?.isCommitted === true;
      const traced = records.map((record) => begin(record, tracer, isCommitted));
      const result = await producer.send(
        topic,
        traced.map(({ record }) => record),
        options,
      );
      const endMs = clock.now();
      traced.forEach(({ span, replayed }, at) => {
        if (span === null) return;
        const outcome = result.outcomes[at] ?? 'unknown';
        tracer.end(span, {
          name: `send ${topic}`,
          kind: 'producer',
          startMs,
          endMs,
          attributes: attributesOf(topic, traced[at]?.record, outcome),
          ...(replayed === null ? {} : { links: [replayed] }),
          ...(typeof outcome === 'object' ? {} : { error: outcome }),
        });
      });
      return result;
    },
    [Symbol.asyncDispose]: () => producer[Symbol.asyncDispose](),
  };
}

interface Traced {
  readonly record: SendRecord;
  readonly span: BegunSpan | null;
  /** The `traceparent` of the trace that a record which is sent again was part of. */
  readonly replayed: string | null;
}

/**
 * The headers of a committed record are fixed, however often it is sent: its span has no children. Any other record
 * gets the header of its span; a record that is sent again starts a new trace, with a link to the original one.
 */
function begin(record: SendRecord, tracer: Tracer, isCommitted: boolean): Traced {
  const { headers = [], link } = record;
  const cause = causeOf({ headers });
  if (isCommitted) return { record, span: cause === null ? null : tracer.begin(cause), replayed: null };
  const isReplayed = lastHeader(headers, 'x-replay-id') !== undefined;
  const span = tracer.begin(isReplayed ? null : cause);
  if (span === null) return { record, span, replayed: null };
  const traced = withHeaders(headers, [['traceparent', span.traceparent]]);
  return { record: { ...record, headers: traced }, span, replayed: link ?? (isReplayed ? cause : null) };
}

function attributesOf(topic: string, record: SendRecord | undefined, outcome: SendOutcome) {
  const key = record?.key;
  return {
    'messaging.system': 'kafka',
    'messaging.operation.type': 'send',
    'messaging.destination.name': topic,
    ...(typeof key === 'string' ? { 'messaging.kafka.message.key': key } : {}),
    ...(typeof outcome === 'object'
      ? {
          'messaging.destination.partition.id': String(outcome.partition),
          'messaging.kafka.offset': outcome.offset,
        }
      : {}),
  };
}
