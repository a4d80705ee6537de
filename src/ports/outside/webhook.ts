import type { Sending } from './mailer.ts';

/** Something that happened, for a program of others. Sent again, it is the same. */
export interface WebhookEvent {
  /** By which the receiver recognises a second copy; any text. */
  readonly id: string;
  readonly type: string;
  /** When it happened: milliseconds since the epoch. */
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Webhook {
  /** Never rejects for a fault of the other side, only when `signal` aborts; bounded in time. */
  post(event: WebhookEvent, signal: AbortSignal): Promise<Sending>;
}
