import { typeOf, type Message } from './message.ts';
import { isTraceparent, unsampledTrace } from './trace.ts';

/** The cause of a message that orderctl sends. */
export interface Cause {
  /** The id of the store that committed it. */
  readonly store: string;
  /** Identifies the cause, the same on each attempt: an order id, or an item and its revision. */
  readonly of: readonly (string | number)[];
  /** When the cause was committed: milliseconds since the epoch. */
  readonly at: number;
  /** The `traceparent` header of the record that caused it, if any. */
  readonly traceparent: string | null;
}

/** The headers of a message, in the order in which they are written. */
export const HEADERS = ['ce_specversion', 'ce_id', 'ce_source', 'ce_type', 'ce_time', 'traceparent'] as const;
/** Names and values of the headers of a message; the same if it is sent again. */
export type EventHeaders = readonly (readonly [name: (typeof HEADERS)[number], value: string])[];

/**
 * Returns the headers of a CloudEvent in Kafka's binary mode, and the trace of the cause. A cause without a trace
 * starts one that is not sampled. `id` is made by `eventId`. Sources:
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

/** In the place of a store: what a client sends (`produce`, the HTTP API, `replay`, …) comes from no commit. */
const CLIENT = 'client';

/**
 * The headers of a message that a client sends. A second send of it has the same `ce_id`.
 *
 * @param id what identifies it among the messages of its name: its order id or event id
 * @param how.at when it is sent, in milliseconds since the epoch; one for a whole batch
 * @param how.traceparent as in Cause
 */
export function clientHeaders(
  message: Message,
  id: string,
  { at, traceparent = null }: Pick<Cause, 'at'> & Partial<Pick<Cause, 'traceparent'>>,
): EventHeaders {
  return eventHeaders(message, {
    id: eventId(message, { store: CLIENT, of: [id] }),
    store: CLIENT,
    at,
    traceparent,
  });
}

/**
 * Whether a trace is the one that `clientHeaders` made up, since none was given: no tracer has decided whether to sample
 * it. In a message of a processor such a trace says that its cause was not sampled.
 *
 * @param id the header `ce_id` beside it
 */
export function isMadeByClient(traceparent: string, id: string | null): boolean {
  return id !== null && id.startsWith(`${CLIENT}/`) && traceparent === unsampledTrace(id);
}

/** The headers of a record that carries only the trace of its cause; none without a trace. */
export function traceHeaders(traceparent: string | null): EventHeaders {
  return traceparent === null ? [] : [['traceparent', traceparent]];
}

type Header = EventHeaders[number];

/* The messages of a commit share these headers: an encoder can recognise them as the same objects. */
const SPEC_VERSION: Header = ['ce_specversion', '1.0'];
let lastStore: { store: string | null; header: Header } = { store: null, header: ['ce_source', ''] };
let lastType: { message: Message | null; header: Header } = { message: null, header: ['ce_type', ''] };
let lastTime: { at: number; header: Header } = { at: NaN, header: ['ce_time', ''] };

/** The id of a message, for `ce_id` and for fields such as `event_id`: `STORE/inventory-events/P-567/42`. */
export function eventId({ name }: Message, { store, of }: Pick<Cause, 'store' | 'of'>): string {
  if (lastBegin.store !== store || lastBegin.name !== name)
    lastBegin = { store, name, text: `${escaped(store)}/${escaped(name)}` };
  let id = lastBegin.text;
  for (const part of of) id += `/${typeof part === 'number' ? part : escaped(part)}`;
  return id;
}

let lastBegin: { readonly store: string; readonly name: string; readonly text: string } = {
  store: '',
  name: '',
  text: '/',
};

/**
 * Without escaping, names that contain a slash could give two lists of parts the same id. Fast, as most names have
 * none.
 */
function escaped(part: string): string {
  if (!part.includes('/') && !part.includes('%')) return part;
  return part.replace(/[%/]/g, (character) => (character === '/' ? '%2F' : '%25'));
}
