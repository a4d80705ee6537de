import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTracer, type OtlpOptions } from '../../../src/adapters/otlp/tracer.ts';
import { parseTraceparent } from '../../../src/domain/messages/trace.ts';
import type { SpanEnd, Tracer } from '../../../src/ports/outside/tracer.ts';
import { closedPort } from '../../support/closed-port.ts';
import { startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { waitFor } from '../../support/wait.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const SAMPLED = `00-${TRACE_ID}-${PARENT}-01`;
const UNSAMPLED = `00-${TRACE_ID}-${PARENT}-00`;
const END: SpanEnd = {
  name: 'send orders',
  kind: 'producer',
  startMs: 1_767_225_600_000.25,
  endMs: 1_767_225_600_002,
  attributes: { 'messaging.system': 'kafka', 'messaging.kafka.offset': 7 },
};

function open(url: string, more: Partial<OtlpOptions> = {}): { tracer: Tracer; warnings: string[] } {
  const warnings: string[] = [];
  const tracer = createTracer({
    url: `${url}/v1/traces`,
    headers: {},
    resource: { 'service.name': 'shop' },
    version: '1.2.3',
    sampler: { ratio: 1, followsParent: true },
    onWarning: (text: string) => warnings.push(text),
    ...more,
  });
  onTestFinished(() => tracer[Symbol.asyncDispose]());
  return { tracer, warnings };
}

function make(tracer: Tracer, parent: string | null = null): void {
  const span = tracer.begin(parent);
  if (span === null) throw new Error('it is not sampled');
  tracer.end(span, END);
}

describe('spans', () => {
  it('are sent as OTLP has them in JSON, by the end at the latest', async () => {
    const receiver = await startOtlpReceiver();
    const { tracer, warnings } = open(receiver.url, { headers: { authorization: 'Bearer t' } });
    const span = tracer.begin(SAMPLED);
    if (span === null) throw new Error('it is not sampled');
    tracer.end(span, { ...END, links: [UNSAMPLED], error: 'too_large' });
    await tracer[Symbol.asyncDispose]();
    expect(receiver.spans).toEqual([
      {
        traceId: TRACE_ID,
        spanId: span.spanId,
        parentSpanId: PARENT,
        name: 'send orders',
        kind: 4,
        startMs: 1_767_225_600_000.25,
        endMs: 1_767_225_600_002,
        attributes: END.attributes,
        links: [{ traceId: TRACE_ID, spanId: PARENT }],
        status: { code: 2, message: 'too_large' },
        resource: { 'service.name': 'shop' },
      },
    ]);
    expect(receiver.headers()).toMatchObject({
      authorization: 'Bearer t',
      'content-type': 'application/json',
    });
    expect(warnings).toEqual([]);
  });

  it('of a batch are sent at once, and others a second later', async () => {
    const receiver = await startOtlpReceiver();
    const { tracer } = open(receiver.url);
    for (let count = 0; count < 513; count++) make(tracer);
    await waitFor(
      'all spans',
      () => receiver.spans.length,
      (count) => count === 513,
    );
    expect(receiver.requests()).toBe(2);
  });

  it('wait while the collector is away, and it says so once', async () => {
    const receiver = await startOtlpReceiver();
    receiver.answer(503);
    const { tracer, warnings } = open(receiver.url, { retryMs: 5 });
    make(tracer);
    await waitFor('tries', receiver.requests, (count) => count >= 3);
    receiver.answer(200);
    await waitFor(
      'the span',
      () => receiver.spans.length,
      (count) => count === 1,
    );
    await waitFor(
      'both warnings',
      () => warnings,
      (found) => found.length === 2,
    );
    expect(warnings[0]).toMatch(/collector at .* does not accept spans: it answered 503/);
    expect(warnings[1]).toMatch(/accepts spans again/);
  });

  it('that the collector refuses for good are not sent again', async () => {
    const receiver = await startOtlpReceiver();
    receiver.answer(400);
    const { tracer, warnings } = open(receiver.url, { retryMs: 5 });
    make(tracer);
    await waitFor(
      'the answer',
      () => warnings.length,
      (count) => count === 1,
    );
    receiver.answer(200);
    make(tracer);
    await waitFor(
      'the next',
      () => receiver.spans.length,
      (count) => count === 1,
    );
    await waitFor(
      'how many are lost',
      () => warnings,
      (found) => found.length === 2,
    );
    expect(warnings[1]).toMatch(/1 were dropped/);
    expect(receiver.requests()).toBe(2);
  });

  it('beyond a bound are dropped, and the end says how many', async () => {
    const { tracer, warnings } = open(`http://127.0.0.1:${await closedPort()}`);
    for (let count = 0; count < 8_200; count++) make(tracer);
    expect(warnings).toEqual(['spans are dropped: they are produced faster than the collector accepts them']);
    await tracer[Symbol.asyncDispose]();
    expect(warnings.at(-1)).toMatch(/^8200 spans were not sent/);
  });

  it('are said to be dropped each time that this begins, and how many were when it ends', async () => {
    const receiver = await startOtlpReceiver();
    const { tracer, warnings } = open(receiver.url);
    for (let time = 1; time <= 2; time++) {
      for (let count = 0; count < 8_200; count++) make(tracer);
      await waitFor(
        'the end of it',
        () => warnings.length,
        (count) => count === 2 * time,
      );
    }
    const both = [
      'spans are dropped: they are produced faster than the collector accepts them',
      'spans are no longer dropped; 8 were dropped',
    ];
    expect(warnings).toEqual([...both, ...both]);
  });

  it('that a collector does not answer keep nothing waiting after the end', async () => {
    const connections = new Set<Socket>();
    const silent = createServer((socket) => {
      connections.add(socket.on('error', () => undefined));
      socket.on('close', () => connections.delete(socket)).resume();
    });
    onTestFinished(() => void silent.close());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const { tracer, warnings } = open(`http://127.0.0.1:${port}`, { closeMs: 50 });
    make(tracer);
    await tracer[Symbol.asyncDispose]();
    await waitFor(
      'the end of its connection',
      () => connections.size,
      (count) => count === 0,
    );
    expect(warnings).toEqual([
      expect.stringMatching(/collector at .* does not accept spans: no answer within 0.05 s/),
      expect.stringMatching(/^1 spans were not sent/),
    ]);
  });
});

describe('sampling', () => {
  const sampler = (ratio: number, followsParent: boolean) => {
    const { tracer } = open('http://127.0.0.1:9', { sampler: { ratio, followsParent } });
    return (parent: string | null) => tracer.begin(parent)?.traceparent ?? null;
  };

  it('follows the one who began the trace', () => {
    const begin = sampler(0, true);
    expect(begin(SAMPLED)).toMatch(new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-01$`));
    expect(begin(SAMPLED)).not.toBe(SAMPLED);
    expect(begin(null)).toBeNull();
    expect(sampler(1, true)(UNSAMPLED)).toBeNull();
  });

  it('or not', () => {
    expect(sampler(1, false)(UNSAMPLED)).toMatch(new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-01$`));
    expect(sampler(0, false)(SAMPLED)).toBeNull();
  });

  it('records its share of the traces that begin here, each with ids of its own', () => {
    const begin = sampler(0.25, true);
    const begun = Array.from({ length: 4_000 }, () => begin(null)).filter((one) => one !== null);
    expect(begun.length / 4_000).toBeGreaterThan(0.2);
    expect(begun.length / 4_000).toBeLessThan(0.3);
    expect(new Set(begun.map((one) => parseTraceparent(one)?.traceId)).size).toBe(begun.length);
    expect(begun.every((one) => parseTraceparent(one)?.isSampled === true)).toBe(true);
    // Another process, which sees the id alone, comes to the same result.
    const again = sampler(0.25, false);
    expect(begun.every((one) => again(one) !== null)).toBe(true);
  });

  it('takes what is no traceparent for none', () => {
    const { tracer } = open('http://127.0.0.1:9');
    for (const text of [
      '',
      'x',
      SAMPLED.toUpperCase(),
      `${SAMPLED}-more`,
      `00-${'0'.repeat(32)}-${PARENT}-01`,
    ])
      expect(tracer.begin(text)?.parentSpanId, text).toBeNull();
  });
});
