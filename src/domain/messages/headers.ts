import { typeOf, type Message } from './message.ts';
import { isTraceparent, unsampledTrace } from './trace.ts';

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

/** In this order. */
export const HEADERS = ['ce_specversion', 'ce_id', 'ce_source', 'ce_type', 'ce_time', 'traceparent'] as const;
/** The headers of a message, the same for a second send of it. */
export type EventHeaders = readonly (readonly [name: (typeof HEADERS)[number], value: string])[];

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
  if (lastStore.store !== store) lastStore = { store, header: ['ce_source', `/orderctl/${store}`] };
  if (lastType.message !== message) lastType = { message, header: ['ce_type', typeOf(message)] };
  if (lastTime.at !== at) lastTime = { at, header: ['ce_time', new Date(at).toISOString()] };
  return [
    SPEC_VERSION,
    ['ce_id', id],
    lastStore.header,
    lastType.header,
    lastTime.header,
    ['traceparent', isTraceparent(traceparent) ? traceparent : unsampledTrace(id)],
  ];
}

/** Of a record that belongs to the trace of its cause and has no other header of ours; null: it belongs to none. */
export function traceHeaders(traceparent: string | null): EventHeaders {
  return traceparent === null ? [] : [['traceparent', traceparent]];
}

type Header = EventHeaders[number];

/* Messages of a commit have these headers in common: an encoder can see that they are the same objects. */
const SPEC_VERSION: Header = ['ce_specversion', '1.0'];
let lastStore: { store: string | null; header: Header } = { store: null, header: ['ce_source', ''] };
let lastType: { message: Message | null; header: Header } = { message: null, header: ['ce_type', ''] };
let lastTime: { at: number; header: Header } = { at: NaN, header: ['ce_time', ''] };

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
