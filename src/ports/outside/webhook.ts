import type { Sending } from './mailer.ts';

/** An event for another program, which is the same each time it is sent. */
export interface WebhookEvent {
  /** Lets the receiver recognise a second copy; any text. */
  readonly id: string;
  readonly type: string;
  /** When it happened: milliseconds since the epoch. */
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
  /** The `traceparent` header of its cause; null: none. */
  readonly traceparent: string | null;
}

export interface Webhook {
  /** Rejects only if `signal` aborts, never for a fault of the receiver; bounded in time. */
  post(event: WebhookEvent, signal: AbortSignal): Promise<Sending>;
}
