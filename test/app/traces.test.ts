import { beforeEach, describe, expect, it } from 'vitest';
import { runServices } from '../../src/app/run/run.ts';
import { KindTally } from '../../src/app/run/status/tally.ts';
import { tracedBroker } from '../../src/app/tracing/traced-broker.ts';
import { newEffect, type Answer, type Effect } from '../../src/domain/effects.ts';
import { clientHeaders, HEADERS } from '../../src/domain/messages/headers.ts';
import { ORDER_VALIDATED } from '../../src/domain/messages/checkout/order-validated.ts';
import { outgoing } from '../../src/domain/messages/outgoing.ts';
import { ORDER } from '../../src/domain/messages/shop/order.ts';
import { ALERT } from '../../src/domain/messages/shop/alert.ts';
import type { Producer } from '../../src/ports/broker.ts';
import { headerText, lastHeader, type Headers } from '../../src/ports/record.ts';
import type { Outcome, Processor } from '../../src/processors/processor.ts';
import { JsonCodec } from '../support/json-codec.ts';
import { ModelFolder } from '../support/model.ts';
import { RecordingTracer } from '../support/recording-tracer.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const SAMPLED = `00-${TRACE_ID}-${PARENT}-01`;
const UNSAMPLED = `00-${TRACE_ID}-${PARENT}-00`;

let clock: VirtualClock;
let folder: ModelFolder;
let broker: ScriptedBroker;
let tracer: RecordingTracer;
beforeEach(() => {
  clock = new VirtualClock();
  folder = new ModelFolder(clock);
  broker = new ScriptedBroker();
  tracer = new RecordingTracer();
});

/** The headers of the last record of a topic. */
function headersIn(topic: string): Headers {
  return broker.topics.get(topic)?.flat().at(-1)?.headers ?? [];
}

const traceparentIn = (topic: string): string | null =>
  headerText(lastHeader(headersIn(topic), 'traceparent'));

describe('what is sent', () => {
  let producer: Producer;
  beforeEach(async () => {
    broker.createTopic('orders');
    producer = await tracedBroker(broker, tracer, clock).producer();
  });
  const send = (...headers: Headers) =>
    producer.send('orders', [{ key: 'O-1', value: null, ...(headers.length === 0 ? {} : { headers }) }]);

  it('begins a trace, and its record carries it on', async () => {
    await send();
    expect(tracer.spans).toMatchObject([
      {
        name: 'send orders',
        kind: 'producer',
        parentSpanId: null,
        traceparent: traceparentIn('orders'),
        attributes: { 'messaging.kafka.message.key': 'O-1', 'messaging.kafka.offset': 0 },
      },
    ]);
  });

  it('goes on with the trace of what asked for it', async () => {
    await send(['traceparent', SAMPLED]);
    const [span] = tracer.spans;
    expect(span).toMatchObject({ traceId: TRACE_ID, parentSpanId: PARENT });
    expect(traceparentIn('orders')).toBe(span?.traceparent);
  });

  it('keeps the header of a trace that is not sampled', async () => {
    await send(['traceparent', UNSAMPLED]);
    expect(tracer.spans).toEqual([]);
    expect(traceparentIn('orders')).toBe(UNSAMPLED);
  });

  it.each([
    ['a message', ['ce_id', 's/orders/1']],
    ['a dead letter', ['x-error-code', 'undecodable']],
    ['a dead letter that was redriven before', ['x-replay-id', 'r1']],
  ] as const)(
    'leaves the header of %s of a commit as it is, however often it goes',
    async (_what, header) => {
      const commit = async (...headers: Headers) =>
        producer.send('orders', [{ key: 'O-1', value: null, headers }], { isCommitted: true });
      await commit(header, ['traceparent', SAMPLED]);
      await commit(header, ['traceparent', SAMPLED]);
      expect(traceparentIn('orders')).toBe(SAMPLED);
      expect(tracer.spans.map(({ parentSpanId }) => parentSpanId)).toEqual([PARENT, PARENT]);
      await commit(header);
      expect(traceparentIn('orders')).toBeNull();
      expect(tracer.spans).toHaveLength(2);
    },
  );

  it('begins a trace in the place of the one that its client made up, and links nothing to that', async () => {
    const made = clientHeaders(ORDER, 'O-1', { at: 0 });
    await send(...made);
    await send(...made, ['x-replay-id', 'r1']);
    expect(tracer.spans.map(({ parentSpanId, links }) => [parentSpanId, links])).toEqual([
      [null, undefined],
      [null, undefined],
    ]);
    expect(traceparentIn('orders')).toBe(tracer.spans[1]?.traceparent);
    expect(headersIn('orders').map(([name]) => name)).toEqual([
      ...HEADERS.slice(0, -1),
      'x-replay-id',
      'traceparent',
    ]);
    const asked = clientHeaders(ORDER, 'O-1', { at: 0, traceparent: SAMPLED });
    await send(...asked);
    expect(tracer.spans[2]).toMatchObject({ traceId: TRACE_ID, parentSpanId: PARENT });
  });

  it('links the span of a replayed order to the trace of its decision', async () => {
    const record = {
      key: 'O-1',
      value: null,
      headers: clientHeaders(ORDER, 'O-1', { at: 0 }),
      link: SAMPLED,
    };
    await producer.send('orders', [record], {});
    expect(tracer.spans).toMatchObject([{ parentSpanId: null, links: [SAMPLED] }]);
  });

  it('begins a trace when it is sent again, with a link to the one that it was of', async () => {
    await send(['traceparent', SAMPLED], ['ce_id', 's/orders/1'], ['x-replay-id', 'r1']);
    const [span] = tracer.spans;
    expect(span).toMatchObject({
      parentSpanId: null,
      links: [SAMPLED],
      traceparent: traceparentIn('orders'),
    });
    expect(span?.traceId).not.toBe(TRACE_ID);
    expect(headersIn('orders').filter(([name]) => name === 'traceparent')).toHaveLength(1);
  });

  it('says why it was not sent', async () => {
    broker.maxValueBytes = 1;
    await producer.send('orders', [{ key: 'O-1', value: Buffer.from('long') }]);
    expect(tracer.spans).toMatchObject([{ error: 'too_large' }]);
  });
});

/** Charges for each arrival, twice if the first try fails, and announces it. */
const CHARGER: Processor<{ readonly item: string }, Outcome> = {
  name: 'payment',
  sources: [ORDER_VALIDATED],
  emits: [ALERT],
  keys: () => ({}),
  decide: (received, { at }) => ({
    changes: {
      effects: received.map(({ message: { item }, traceparent }) =>
        newEffect({ id: item, kind: 'charge', key: item, fields: { item, traceparent } }, at),
      ),
    },
    results: received.map(() => ({ kind: 'charged' })),
  }),
  effects: {
    kinds: ['charge'],
    keys: () => ({}),
    settle: (answered, { at, storeId }) => ({
      effects: answered.map(({ effect, answer }) => ({
        id: effect.id,
        effect: answer.kind === 'done' ? null : { ...effect, state: 'due', dueAt: at + 1_000 },
      })),
      outgoing: answered.flatMap(({ effect: { id, fields }, answer }) => {
        const cause = { store: storeId, of: [id], at, traceparent: fields.traceparent as string | null };
        const alert = { kind: 'low_stock', item: id, revision: 1, on_hand: 1, reorder_level: 1 } as const;
        const more = { order_id: null, message: 'low', at };
        return answer.kind === 'done'
          ? [outgoing(ALERT, (event_id) => ({ event_id, ...alert, ...more }), cause)]
          : [];
      }),
    }),
  },
};

describe('a run', () => {
  let asked: Effect[];
  beforeEach(() => {
    asked = [];
    broker.idles = true;
    broker.createTopic('orders.validated');
  });

  function arrive(text: string, ...headers: Headers): void {
    broker.append('orders.validated', 0, { value: new TextEncoder().encode(text), headers });
  }

  async function run(answers: Answer[], isTraced = true): Promise<void> {
    const perform = async (effect: Effect): Promise<Answer> => {
      asked.push(effect);
      return answers.shift() ?? { kind: 'done', fields: { outcome: 'paid' } };
    };
    await runServices(
      {
        access: folder,
        clock,
        codecOf: async () => new JsonCodec(),
        ...(isTraced ? { tracer, broker: tracedBroker(broker, tracer, clock) } : { broker }),
        performers: () => ({ charge: { atOnce: 16, perform } }),
      },
      [{ processor: CHARGER, group: 'g.payment', tally: new KindTally() }],
      {
        purpose: 'run',
        group: 'g',
        names: new Map(),
        untilEnd: true,
        maxMessages: null,
        reset: null,
        adopt: false,
        create: true,
        signal: new AbortController().signal,
        on: () => undefined,
      },
    );
  }

  it('has a span for each record, each try of an effect and each message, one under the other', async () => {
    arrive('{"item":"A"}', ['traceparent', SAMPLED]);
    await run([{ kind: 'failed', message: '503', isUnknown: false }]);
    const [process] = tracer.named('payment process orders.validated');
    expect(process).toMatchObject({
      traceId: TRACE_ID,
      parentSpanId: PARENT,
      kind: 'consumer',
      attributes: { 'orderctl.outcome': 'charged', 'messaging.kafka.offset': 0 },
    });
    const tries = tracer.named('payment charge');
    expect(tries).toMatchObject([
      { parentSpanId: process?.spanId, error: '503', attributes: { 'orderctl.attempt': 1 } },
      { parentSpanId: process?.spanId, attributes: { 'orderctl.attempt': 2, 'orderctl.outcome': 'paid' } },
    ]);
    expect(tries[1]?.error).toBeUndefined();
    // The other side goes on from the try; what is committed has the span that led to it.
    expect(asked.map(({ fields }) => fields.traceparent)).toEqual(tries.map((span) => span.traceparent));
    expect(traceparentIn('alerts')).toBe(process?.traceparent);
    expect(tracer.named('send alerts')).toMatchObject([{ parentSpanId: process?.spanId }]);
  });

  it('begins a trace for a record that comes without one, with one that is none, or with one that its client made up', async () => {
    arrive('{"item":"A"}');
    arrive('{"item":"B"}', ['traceparent', `${SAMPLED}\r\nx-evil: 1`]);
    arrive('{"item":"C"}', ...clientHeaders(ORDER_VALIDATED, 'C', { at: 0 }));
    await run([]);
    const roots = tracer.named('payment process orders.validated');
    expect(roots.map(({ parentSpanId }) => parentSpanId)).toEqual([null, null, null]);
    expect(new Set(tracer.spans.map(({ traceId }) => traceId)).size).toBe(3);
  });

  it('passes a trace on that is not sampled, without a span', async () => {
    arrive('{"item":"A"}', ['traceparent', UNSAMPLED]);
    await run([]);
    expect(tracer.spans).toEqual([]);
    expect(traceparentIn('alerts')).toBe(UNSAMPLED);
    expect(asked[0]?.fields.traceparent).toBe(UNSAMPLED);
  });

  it('passes a trace on where no spans are asked for, but nothing that is none', async () => {
    arrive('{"item":"A"}', ['traceparent', SAMPLED]);
    arrive('{"item":"B"}', ['traceparent', 'x']);
    await run([], false);
    expect(asked.map(({ fields }) => fields.traceparent)).toEqual([SAMPLED, null]);
  });

  it('a dead letter keeps the trace of its record, whose span says why', async () => {
    arrive('no JSON', ['traceparent', SAMPLED]);
    await run([]);
    expect(tracer.named('payment process orders.validated')).toMatchObject([{ error: 'undecodable' }]);
    expect(traceparentIn('orders.validated.dlq')).toBe(SAMPLED);
    expect(tracer.named('send orders.validated.dlq')).toMatchObject([{ traceId: TRACE_ID }]);
  });
});
