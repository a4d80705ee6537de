import type { Sending } from './mailer.ts';

/** An event for another program, the same each time that it is sent. */
export interface WebhookEvent {
  /** Identifies second copies to the receiver; any text. */
  readonly id: string;
  readonly type: string;
  /** When it happened: milliseconds since the epoch. */
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
  /** The header of that name, of what it belongs to; null: it has none. */
  readonly traceparent: string | null;
}

export interface Webhook {
  /** Never rejects for a fault of the other side, only when `signal` aborts; bounded in time. */
  post(event: WebhookEvent, signal: AbortSignal): Promise<Sending>;
}
