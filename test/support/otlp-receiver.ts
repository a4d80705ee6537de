import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A received span, with its attributes as an object. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code: number; readonly message: string };
  readonly resource: Readonly<Record<string, string | number>>;
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string };
}

type WireSpan = Omit<ReceivedSpan, 'attributes' | 'links' | 'startMs' | 'endMs' | 'resource'> & {
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly links?: ReceivedSpan['links'];
};

interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

/** Receives spans by OTLP/HTTP in JSON: it decodes them, and answers as the test requires. */
export interface OtlpReceiver {
  /** `http://127.0.0.1:4318`, for OTEL_EXPORTER_OTLP_ENDPOINT */
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** The headers of the last request. */
  readonly headers: () => http.IncomingHttpHeaders;
  /** The number of requests. */
  readonly requests: () => number;
  /** The status of the answers from now on. */
  answer: (status: number) => void;
}

/** Ends with the test. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  let headers: http.IncomingHttpHeaders = {};
  let status = 200;
  let requests = 0;
  const server = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      requests += 1;
      headers = request.headers;
      if (request.url !== '/v1/traces' || request.method !== 'POST') {
        response.writeHead(404).end();
        return;
      }
      if (status === 200) spans.push(...spansIn(JSON.parse(body) as ExportRequest));
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const answer = (next: number): void => void (status = next);
  return { url, spans, headers: () => headers, requests: () => requests, answer };
}

function spansIn({ resourceSpans }: ExportRequest): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ startTimeUnixNano, endTimeUnixNano, attributes, links = [], ...span }) => ({
        ...span,
        startMs: millis(startTimeUnixNano),
        endMs: millis(endTimeUnixNano),
        attributes: objectOf(attributes),
        links,
        resource: objectOf(resource.attributes),
      })),
    ),
  );
}

function millis(nanos: string): number {
  return Number(BigInt(nanos) / 1_000n) / 1_000;
}

function objectOf(attributes: readonly Attribute[]): Record<string, string | number> {
  return Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue } }) => [key, stringValue ?? Number(intValue)]),
  );
}
