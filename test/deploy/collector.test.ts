import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openCheckoutShop } from '../support/checkout-shop.ts';
import { finish, observe, type Running } from '../support/cli.ts';
import { closedPort } from '../support/closed-port.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { CLIENT, isFollowed, placeTraced, TRACE } from '../support/traced-order.ts';
import { waitFor } from '../support/wait.ts';

/*
 * What the collector of OpenTelemetry takes. It is built with Go, by its own builder, in the folder of the project:
 *
 *   go run go.opentelemetry.io/collector/cmd/builder@v0.140.0 --config test/deploy/peers/collector.yaml
 *   export ORDERCTL_TEST_COLLECTOR=$PWD/node_modules/.cache/collector/collector
 *   npm run test:deploy -- collector
 */
const COLLECTOR = process.env.ORDERCTL_TEST_COLLECTOR ?? '';
const makeFolder = temporaryFolder();

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly error: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly resource: Readonly<Record<string, string>>;
  /** Of the span that it is linked to; empty: of none. */
  readonly linked: string;
}

/** It prints each span that it takes. */
async function startCollector(): Promise<{ url: string; spans: () => Span[]; collector: Running }> {
  const endpoint = `127.0.0.1:${await closedPort()}`;
  const pipeline = { receivers: ['otlp'], exporters: ['debug'] };
  const file = path.join(makeFolder(), 'config.yaml');
  // What is JSON is YAML.
  const config = {
    receivers: { otlp: { protocols: { http: { endpoint } } } },
    exporters: { debug: { verbosity: 'detailed', use_internal_logger: false } },
    service: { telemetry: { metrics: { level: 'none' } }, pipelines: { traces: pipeline } },
  };
  fs.writeFileSync(file, JSON.stringify(config));
  const child = spawn(COLLECTOR, ['--config', `file:${file}`], { stdio: ['ignore', 'pipe', 'pipe'] });
  const collector = observe(child, 'the collector');
  await collector.says(/Everything is ready/);
  return { url: `http://${endpoint}`, spans: () => spansIn(collector.stdout()), collector };
}

function spansIn(text: string): Span[] {
  const parts = text.split(/^ResourceSpans #\d+$/m).slice(1);
  return parts.flatMap((part) => {
    const [head = '', ...spans] = part.split(/^Span #\d+$/m);
    return spans.map((span) => spanIn(span, attributesIn(head)));
  });
}

function spanIn(text: string, resource: Span['resource']): Span {
  const field = (name: string): string => new RegExp(`^ +${name} *: (.*)$`, 'm').exec(text)?.[1] ?? '';
  const ms = (name: string): number => Date.parse(field(name).replace(' +0000 UTC', 'Z').replace(' ', 'T'));
  return {
    traceId: field('Trace ID'),
    spanId: field('ID'),
    parentSpanId: field('Parent ID'),
    name: field('Name'),
    kind: field('Kind'),
    startMs: ms('Start time'),
    endMs: ms('End time'),
    error: field('Status code') === 'Error' ? field('Status message') : '',
    attributes: attributesIn(text),
    resource,
    linked: field('-> ID'),
  };
}

/** With their types: `Str(pen)`, `Int(3)`. */
function attributesIn(text: string): Record<string, string> {
  const found = text.matchAll(/^ +-> (\S+): (\w+\(.*\))$/gm);
  return Object.fromEntries(Array.from(found, ([, name = '', value = '']) => [name, value]));
}

test.skipIf(COLLECTOR === '')(
  'the collector of OpenTelemetry takes the trace of an order from its client to its delivery, and that of what is redriven',
  async () => {
    const startMs = Date.now();
    const { url, spans, collector } = await startCollector();
    const { shop } = await openCheckoutShop({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_SERVICE_NAME: 'pens' });
    const run = await placeTraced(shop);
    const ofTrace = (): Span[] => spans().filter(({ traceId }) => traceId === TRACE);
    const found = await waitFor('every path', ofTrace, isFollowed);
    const named = (name: string): Span | undefined => found.find((span) => span.name === name);
    expect(named('POST /orders')).toMatchObject({
      parentSpanId: CLIENT,
      kind: 'Server',
      attributes: { 'http.request.method': 'Str(POST)', 'http.response.status_code': 'Int(202)' },
    });
    expect(named('send orders.created')?.kind).toBe('Producer');
    expect(named('validation process orders.created')).toMatchObject({
      kind: 'Consumer',
      attributes: {
        'messaging.system': 'Str(kafka)',
        'messaging.operation.type': 'Str(process)',
        'messaging.destination.name': 'Str(orders.created)',
        'messaging.kafka.offset': 'Int(0)',
        'orderctl.processor': 'Str(validation)',
      },
    });
    expect(named('payment charge')).toMatchObject({
      kind: 'Client',
      attributes: { 'orderctl.outcome': 'Str(paid)', 'orderctl.attempt': 'Int(1)' },
    });
    for (const span of found) {
      expect(span.resource['service.name'], span.name).toBe('Str(pens)');
      expect(span.startMs, span.name).toBeGreaterThanOrEqual(startMs);
      expect(span.endMs, span.name).toBeGreaterThanOrEqual(span.startMs);
      expect(span.endMs, span.name).toBeLessThanOrEqual(Date.now());
      expect(span.error, span.name).toBe('');
    }

    await shop.ok('produce --source store --store-id S1 --item pencil=1');
    const processed = (): Span[] => spans().filter(({ name }) => name === 'stock process store_sales');
    const [dead] = await waitFor('the dead letter', processed, ({ length }) => length === 1);
    expect(dead?.error).toBe('unknown_product');
    await shop.ok('inventory add pencil --quantity 5');
    await shop.ok('dlq redrive --all --processor stock --execute');
    const [, redriven] = await waitFor('the same again', processed, ({ length }) => length === 2);
    const sent = (one: Span | undefined): Promise<Span | undefined> =>
      waitFor(
        'its parent',
        () => spans().find(({ spanId }) => spanId === one?.parentSpanId),
        (parent) => parent !== undefined,
      );
    expect(await sent(redriven)).toMatchObject({ parentSpanId: '', linked: (await sent(dead))?.spanId });

    run.signal('SIGTERM');
    expect((await finish(run, 'run', 60_000)).code).toBe(0);
    collector.signal('SIGTERM');
    expect((await finish(collector, 'the collector', 60_000)).code).toBe(0);
  },
);
