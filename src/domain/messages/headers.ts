import { typeOf, type Message } from './message.ts';

/** What a message that we send comes from. */
export interface Cause {
  /** The id of the store that committed it. */
  readonly store: string;
  /** What happened, by what is the same each time: an order id, or an item and its revision. */
  readonly of: readonly (string | number)[];
  /** When it was committed: milliseconds since the epoch. */
  readonly at: number;
  /** The header `traceparent` of what led to it, if that had one. */
  readonly traceparent: string | null;
}

/** The headers of a message, by name: the same for a second send of it. */
export type EventHeaders = Readonly<Record<(typeof HEADERS)[number], string>>;
export const HEADERS = ['ce_specversion', 'ce_id', 'ce_source', 'ce_type', 'ce_time', 'traceparent'] as const;

/**
 * CloudEvents in Kafka's binary mode, and the trace that the cause belongs to; a cause without one begins a trace,
 * which is not sampled. `id` is that of `eventId`. Sources:
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
 * https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function eventHeaders(
  message: Message,
  { id, store, at, traceparent }: Pick<Cause, 'store' | 'at' | 'traceparent'> & { readonly id: string },
): EventHeaders {
  return {
    ce_specversion: '1.0',
    ce_id: id,
    ce_source: `/orderctl/${store}`,
    ce_type: typeOf(message),
    ce_time: new Date(at).toISOString(),
    traceparent: isTraceparent(traceparent) ? traceparent : newTrace(id),
  };
}

/** The id of a message, for `ce_id` and for fields such as `event_id`: `STORE/inventory-events/P-567/42`. */
export function eventId({ name }: Message, { store, of }: Pick<Cause, 'store' | 'of'>): string {
  let id = `${escaped(store)}/${escaped(name)}`;
  for (const part of of) id += `/${typeof part === 'number' ? part : escaped(part)}`;
  return id;
}

/** Names may contain a slash: without this, two lists of parts could make one text. Few do, and one id is made an event. */
function escaped(part: string): string {
  if (!part.includes('/') && !part.includes('%')) return part;
  return part.replace(/[%/]/g, (character) => (character === '/' ? '%2F' : '%25'));
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

function isTraceparent(text: string | null): text is string {
  return text !== null && TRACEPARENT.test(text);
}

function newTrace(id: string): string {
  const hash = [1, 2, 3, 4, 5, 6].map((seed) => hash32(id, seed).toString(16).padStart(8, '0')).join('');
  // Neither part may be all zeros, which no hash excludes.
  return `00-1${hash.slice(1, 32)}-1${hash.slice(33)}-00`;
}

/** FNV-1a, with the last mix of MurmurHash3, lest the ids of neighbours be alike. */
function hash32(text: string, seed: number): number {
  let hash = Math.imul(seed, 0x9e3779b1) ^ 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
