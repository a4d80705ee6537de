import { OUTSIDE_AT_ONCE } from '../../ports/effects.ts';
import type { Gateway, GatewayFault, Payment, PaymentAnswer } from '../../ports/outside/gateway.ts';

/*
 * A payment gateway over HTTP:
 *
 *   POST URL/payments, POST URL/refunds   {order_id, customer_id, amount}, with the header Idempotency-Key
 *   GET  URL/payments/KEY                 the outcome of the charge or refund with that key
 *
 * 200, 201 and 402 (a decline) answer {status: "paid" | "declined", reference, reason}. A key that the gateway does
 * not know is 404 with {code: "unknown_key"}: a proxy's 404 says nothing about the payment. The header
 * Idempotency-Key is as in the IETF draft draft-ietf-httpapi-idempotency-key-header and at payment providers.
 */

export interface HttpGatewayOptions {
  /** Without the paths above. */
  readonly url: string;
  /** Sent as a bearer token; null: no token. */
  readonly token: string | null;
  /** For one complete call. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
/** An answer is short; anything longer is not one. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** The request did not reach the gateway: no money has moved. */
const NEVER_ARRIVED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** The 4xx statuses after which the payment may still happen: timed out, in progress, too early. */
const MAY_BE_UNDER_WAY = new Set([408, 409, 425]);

export function createHttpGateway({ url, token, timeoutMs = TIMEOUT_MS }: HttpGatewayOptions): Gateway {
  const base = url.replace(/\/+$/, '');
  const authorization: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };

  const call = async (
    path: string,
    init: RequestInit,
    signal: AbortSignal,
  ): Promise<Reply | GatewayFault> => {
    // Not AbortSignal.timeout: Node 20 garbage-collects a signal that only AbortSignal.any refers to.
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), timeoutMs);
    try {
      const response = await fetch(`${base}${path}`, {
        ...init,
        // Money is moved at the configured address or not at all.
        redirect: 'manual',
        signal: AbortSignal.any([signal, limit.signal]),
      });
      return { status: response.status, body: await readBounded(response) };
    } catch (error) {
      if (signal.aborted) throw error;
      return limit.signal.aborted ? timedOut(base, timeoutMs) : faultOf(error, base);
    } finally {
      clearTimeout(timer);
    }
  };

  const move =
    (path: string) =>
    async (payment: Payment, signal: AbortSignal): Promise<PaymentAnswer | GatewayFault> => {
      const { key, orderId, customerId, amount, traceparent } = payment;
      const headers = {
        ...authorization,
        'content-type': 'application/json',
        'idempotency-key': key,
        ...(traceparent === null ? {} : { traceparent }),
      };
      const body = JSON.stringify({ order_id: orderId, customer_id: customerId, amount });
      const reply = await call(path, { method: 'POST', headers, body }, signal);
      return 'kind' in reply ? reply : answerOf(reply, base);
    };

  return {
    atOnce: OUTSIDE_AT_ONCE,
    charge: move('/payments'),
    refund: move('/refunds'),
    lookUp: async (key, signal) => {
      const path = `/payments/${encodeURIComponent(key)}`;
      const reply = await call(path, { headers: authorization }, signal);
      if ('kind' in reply) return reply;
      return isUnknownKey(reply) ? null : answerOf(reply, base);
    },
  };
}

interface Reply {
  readonly status: number;
  /** undefined: not a JSON object, or too large. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

async function readBounded(response: Response): Promise<Reply['body']> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    sizeBytes += chunk.length;
    // Leaving the loop cancels the rest.
    if (sizeBytes > MAX_ANSWER_BYTES) return undefined;
    chunks.push(chunk);
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString());
    return typeof value === 'object' && value !== null ? (value as Reply['body']) : undefined;
  } catch {
    return undefined;
  }
}

function isUnknownKey({ status, body }: Reply): boolean {
  return status === 404 && body?.code === 'unknown_key';
}

function answerOf({ status, body }: Reply, base: string): PaymentAnswer | GatewayFault {
  const { status: outcome, reference, reason } = body ?? {};
  const isAnswer = status === 200 || status === 201;
  if (isAnswer && outcome === 'paid' && typeof reference === 'string') return { kind: 'paid', reference };
  if ((isAnswer || status === 402) && outcome === 'declined') {
    return {
      kind: 'declined',
      reason: typeof reason === 'string' && reason !== '' ? reason : 'declined',
      reference: typeof reference === 'string' ? reference : null,
    };
  }
  const isRefused = status >= 300 && status < 500 && !MAY_BE_UNDER_WAY.has(status);
  const what = isAnswer ? 'with something that is not a payment result' : `${status}`;
  return { kind: 'fault', message: `the gateway at ${base} answered ${what}`, isUnknown: !isRefused };
}

function timedOut(base: string, timeoutMs: number): GatewayFault {
  const message = `the gateway at ${base} did not answer within ${timeoutMs / 1000} s`;
  return { kind: 'fault', message, isUnknown: true };
}

function faultOf(error: unknown, base: string): GatewayFault {
  const causes = causesOf(error);
  const isRefused = causes.length > 0 && causes.every(({ code }) => NEVER_ARRIVED.has(code ?? ''));
  const why = causes[0]?.message ?? String(error);
  return { kind: 'fault', message: `the gateway at ${base}: ${why}`, isUnknown: !isRefused };
}

/** fetch reports only "fetch failed"; its cause has the reason, once for each address that was tried. */
function causesOf(error: unknown): (Error & { readonly code?: string })[] {
  if (!(error instanceof Error)) return [];
  const { cause } = error;
  if (cause instanceof AggregateError) return cause.errors.filter((one) => one instanceof Error);
  return [cause instanceof Error ? cause : error];
}
