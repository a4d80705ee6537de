import { createHash, createHmac } from 'node:crypto';
import { isoTime } from '../../domain/iso-time.ts';
import type { Sending } from '../../ports/outside/mailer.ts';
import type { Webhook, WebhookEvent } from '../../ports/outside/webhook.ts';

/*
 * Sends events over HTTP, signed as in Standard Webhooks, so that its libraries can verify them:
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */

export interface WebhookOptions {
  readonly url: string;
  /** `whsec_` and the key in base64. */
  readonly secret: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** For one complete call. */
  readonly timeoutMs?: number;
}

/** The specification recommends waiting 15 to 30 s; a receiver should answer before it does its work. */
const TIMEOUT_MS = 15_000;
/** The receiver wants no more events. */
const GONE = 410;

export function createWebhook({ url, secret, now, timeoutMs = TIMEOUT_MS }: WebhookOptions): Webhook {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return {
    post: async (event, signal) => {
      const { id, headers, body } = signedRequest(event, key, now());
      // Not AbortSignal.timeout: Node 20 garbage-collects a signal that only AbortSignal.any refers to.
      const limit = new AbortController();
      const timer = setTimeout(
        () => limit.abort(new Error(`no answer within ${timeoutMs / 1000} s`)),
        timeoutMs,
      );
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers,
          body,
          // If the receiver has moved, the setting must be fixed: signed content is not sent elsewhere.
          redirect: 'manual',
          signal: AbortSignal.any([signal, limit.signal]),
        });
        await response.body?.cancel();
        return outcomeOf(response.status, id);
      } catch (error) {
        if (signal.aborted) throw error;
        return { kind: 'fault', detail: `${url}: ${reasonOf(error)}` };
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function signedRequest(
  { id: given, type, at, data, traceparent }: WebhookEvent,
  key: Uint8Array,
  nowMs: number,
): { id: string; headers: Record<string, string>; body: string } {
  // The signed content is joined by full stops, which an id must not contain.
  const id = `evt_${createHash('sha256').update(given).digest('hex').slice(0, 32)}`;
  const timestamp = String(Math.floor(nowMs / 1000));
  const body = JSON.stringify({ type, timestamp: isoTime(at), data });
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    id,
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': `v1,${signature}`,
      ...(traceparent === null ? {} : { traceparent }),
    },
    body,
  };
}

function outcomeOf(status: number, id: string): Sending {
  if (status >= 200 && status < 300) return { kind: 'sent', detail: `${id}: ${status}` };
  return { kind: status === GONE ? 'refused' : 'fault', detail: `${id}: the receiver answered ${status}` };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // fetch reports only "fetch failed"; its cause has the reason.
  return error.cause instanceof Error ? error.cause.message : error.message;
}
