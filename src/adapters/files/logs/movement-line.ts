import { isoTime } from '../../../domain/iso-time.ts';
import type { Movement } from '../../../domain/movement.ts';
import type { LoggedMovement } from '../../../ports/store.ts';

/* A movement as a line of movements.jsonl. */

interface MovementJson {
  seq: number;
  at: string;
  item: string;
  delta: number;
  cause: Movement['cause'];
  order_id: string | null;
  event_id: string | null;
  on_hand: number;
}

export function renderMovement(
  { item, delta, cause, orderId, eventId }: Movement,
  { seq, at, onHand }: Omit<LoggedMovement, keyof Movement>,
): string {
  const ids = { order_id: orderId, event_id: eventId };
  const line: MovementJson = { seq, at: isoTime(at), item, delta, cause, ...ids, on_hand: onHand };
  return `${JSON.stringify(line)}\n`;
}

/** @throws SyntaxError when orderctl did not write it */
export function parseMovement(line: Buffer): LoggedMovement {
  const { seq, at, item, delta, cause, ...rest } = JSON.parse(line.toString('utf8')) as MovementJson;
  const ids = { orderId: rest.order_id, eventId: rest.event_id };
  return { seq, at: Date.parse(at), item, delta, cause, ...ids, onHand: rest.on_hand };
}
