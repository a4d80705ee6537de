import type { Advice, EventsAgain } from '../../domain/advice.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { clientHeaders } from '../../domain/messages/headers.ts';
import type { Message } from '../../domain/messages/message.ts';
import { ONLINE_ORDER } from '../../domain/messages/stock/online-order.ts';
import { STORE_SALE } from '../../domain/messages/stock/store-sale.ts';
import { SUPPLIER_RESTOCK } from '../../domain/messages/stock/supplier-restock.ts';
import { topicOf, type TopicNames } from '../../domain/messages/topic-names.ts';
import type { SourceMessage } from '../../domain/stock/events.ts';
import type { Item } from '../../domain/tables.ts';
import type { Broker, Producer, SentRecord } from '../../ports/broker.ts';
import type { CodecOf } from '../run/events.ts';
import { unlessStopped } from '../run/wait.ts';
import { ensureTopics, type TopicCreated } from '../topics/ensure.ts';
import { atPace, type Pace } from './pace.ts';
import { withDoubt } from './sender.ts';

/** The sources of events, by their names in commands. */
export const SOURCES = { online: ONLINE_ORDER, store: STORE_SALE, supplier: SUPPLIER_RESTOCK } as const;
export type SourceName = keyof typeof SOURCES;

/** An event of a source, to be sent. */
export interface SourceEvent {
  readonly source: SourceName;
  readonly fields: SourceMessage;
}

export interface SampleEventOptions {
  readonly sources: readonly SourceName[];
  /** The suppliers that deliveries come from. */
  readonly suppliers: readonly string[];
  /** null: endless. */
  readonly count: number | null;
  /** The percentage of events that are sent twice, and of events that are wrong. */
  readonly faulty: number;
  /** Returns a number from 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
  readonly newId: () => string;
  readonly now: () => number;
}

/**
 * One event in this many is a delivery, as is each event for an item that is used up: stores rarely sell what they
 * lack.
 */
const EVENTS_TO_A_DELIVERY = 10;
const ON_HAND_AT_FIRST = 10;
const LARGEST_SALE = 3;
const STORES = 5;
const LARGEST_ORDER = 1_000_000;
const UNKNOWN_SUPPLIER = 'SUP-1';

/** Random events for these items. An event that is sent twice counts twice towards `count`. */
export function* sampleEvents(items: readonly Item[], options: SampleEventOptions): Generator<SourceEvent> {
  const { count, faulty, random } = options;
  const below = (limit: number): number => Math.floor(random() * limit);
  // Starts from a fixed quantity, not the stock: the same seed gives the same events.
  const left = new Map<string, number>();
  let made = 0;
  while (count === null || made < count) {
    const event = sampleEvent(items, options, below, left);
    const isWrong = random() * 100 < faulty;
    const sent = isWrong ? wrong(event, below(3)) : event;
    yield sent;
    made += 1;
    if (random() * 100 >= faulty || made === count) continue;
    yield sent;
    made += 1;
  }
}

function sampleEvent(
  items: readonly Item[],
  { sources, suppliers, newId, now }: SampleEventOptions,
  below: (limit: number) => number,
  left: Map<string, number>,
): SourceEvent {
  const item = items[below(items.length)];
  const sales = sources.filter((name) => name !== 'supplier');
  const onHand = left.get(item?.item ?? '') ?? ON_HAND_AT_FIRST;
  const isDelivery =
    sales.length === 0 ||
    (sales.length < sources.length && (onHand < LARGEST_SALE || below(EVENTS_TO_A_DELIVERY) === 0));
  const source = isDelivery ? 'supplier' : (sales[below(sales.length)] ?? 'online');
  const event_id = newId();
  const fields = {
    event_id,
    product_id: item?.item ?? '',
    occurred_at: now(),
    unit_price: item?.price ?? null,
    quantity: source === 'supplier' ? 10 + below(21) : 1 + below(LARGEST_SALE),
    order_id: source === 'online' ? `WEB-${event_id}` : null,
    ...(source === 'store' ? { store_id: `S-${1 + below(STORES)}` } : {}),
    ...(source === 'supplier'
      ? { supplier_id: suppliers[suppliers.length > 1 ? below(suppliers.length) : 0] ?? UNKNOWN_SUPPLIER }
      : {}),
  };
  left.set(fields.product_id, onHand + (isDelivery ? fields.quantity : -fields.quantity));
  return { source, fields };
}

/** A delivery by a supplier. */
export function delivery(
  { item, price }: Item,
  quantity: number,
  { newId, now, suppliers }: Pick<SampleEventOptions, 'newId' | 'now' | 'suppliers'>,
): SourceEvent {
  const about = { order_id: null, supplier_id: suppliers[0] ?? UNKNOWN_SUPPLIER };
  const fields = { event_id: newId(), product_id: item, quantity, unit_price: price, occurred_at: now() };
  return { source: 'supplier', fields: { ...fields, ...about } };
}

/** Makes an event wrong: a product that does not exist, a quantity of 0, or an order for more than any shop has. */
function wrong({ source, fields }: SourceEvent, way: number): SourceEvent {
  if (way === 0) return { source, fields: { ...fields, product_id: 'no-such-product' } };
  if (way === 1 || source !== 'online') return { source, fields: { ...fields, quantity: 0 } };
  return { source, fields: { ...fields, quantity: LARGEST_ORDER } };
}

export interface SendEventsOptions extends Pace {
  readonly sources: readonly SourceName[];
  readonly names: TopicNames;
  readonly events: AsyncIterable<SourceEvent> | Iterable<SourceEvent>;
  readonly create: boolean;
  /** How to send events again, under the same ids, when it is unknown whether they are stored. */
  readonly again: EventsAgain['by'];
  readonly on: (event: SendEventsEvent) => void;
}

export type SendEventsEvent =
  | TopicCreated
  | {
      readonly kind: 'sent';
      readonly events: readonly (SourceEvent & SentRecord & { readonly topic: string })[];
    }
  | { readonly kind: 'unknown'; readonly topic: string; readonly events: readonly SourceEvent[] }
  | { readonly kind: 'summary'; readonly summary: SentEvents };

export interface SentEvents {
  /** The number of events sent, by topic. */
  readonly byTopic: ReadonlyMap<string, number>;
  readonly sent: number;
  /** The number of events that are not stored. */
  readonly failed: number;
  /** Handed to the brokers, which did not answer: these events may be stored, now or later. */
  readonly unknown: number;
  readonly interrupted: boolean;
  /** A failure follows. */
  readonly hasFailed: boolean;
  readonly seconds: number;
}

/**
 * Sends events to the topics of their sources, keyed by product. The last event is the summary, even before a failure.
 * Events that are sent again under the same ids count once.
 *
 * @throws Failure as the ports; interrupted when a finite run was stopped
 */
export async function sendEvents(
  { broker, codecOf }: { readonly broker: Broker; readonly codecOf: CodecOf },
  options: SendEventsOptions,
): Promise<void> {
  const { clock, on, signal, count } = options;
  const startedAt = clock.elapsed();
  const sending = new Sending(codecOf, options);
  let isDone = false;
  let hasFailed = true;
  try {
    await sending.all(broker);
    hasFailed = false;
    isDone = !signal.aborted || (count !== null && sending.sent >= count);
  } catch (error) {
    if (!signal.aborted || count === null || !(error instanceof Failure)) throw error;
    throw interruptedAfter(sending, { ...options, count }, `; ${error.message}`);
  } finally {
    const interrupted = !isDone && signal.aborted && count !== null;
    const { byTopic, sent, failed } = sending;
    const unknown = sending.unknown.length;
    const seconds = (clock.elapsed() - startedAt) / 1000;
    on({ kind: 'summary', summary: { byTopic, sent, failed, unknown, interrupted, hasFailed, seconds } });
  }
  if (isDone || count === null) return;
  throw interruptedAfter(sending, { ...options, count }, '');
}

function interruptedAfter(
  { sent, unknown }: Sending,
  { count, again }: { readonly count: number; readonly again: EventsAgain['by'] },
  why: string,
): Failure {
  const resumption = { resume: 'count', next: sent > 0 ? sent : null, rest: count - sent } as const;
  const fix: Advice =
    again === 'event_id' && unknown.length === 0
      ? { kind: 'produce_again', inDoubt: false, unknown: 0, orderId: '', ...resumption }
      : sentAgain(unknown, again);
  return new Failure('interrupted', `interrupted: ${sent} of ${count} events sent${why}`, { fix });
}

function sentAgain([first]: readonly SourceEvent[], by: EventsAgain['by']): EventsAgain {
  return { kind: 'events_again', by, eventId: first?.fields.event_id ?? '' };
}

class Sending {
  readonly #codecOf: CodecOf;
  readonly #options: SendEventsOptions;
  readonly byTopic = new Map<string, number>();
  sent = 0;
  failed = 0;
  /** Events that may be stored; nothing is sent after these. */
  unknown: readonly SourceEvent[] = [];

  constructor(codecOf: CodecOf, options: SendEventsOptions) {
    this.#codecOf = codecOf;
    this.#options = options;
  }

  async all(broker: Broker): Promise<void> {
    const { sources, names, create, on, signal, events } = this.#options;
    const wanted = sources.map((name) => {
      return { topic: topicOf(SOURCES[name], names), message: SOURCES[name], carries: null };
    });
    {
      await using admin = await broker.admin();
      if ((await unlessStopped(ensureTopics(admin, wanted, create, on), signal)) === undefined) return;
    }
    await using producer = await broker.producer();
    for await (const batch of atPace(events, this.#options)) {
      if (signal.aborted) return;
      for (const source of sources) {
        const some = batch.filter((event) => event.source === source);
        if (some.length > 0) await this.#send(producer, SOURCES[source], some);
      }
    }
  }

  /** @throws Failure when not all were stored */
  async #send(producer: Producer, message: Message, events: readonly SourceEvent[]): Promise<void> {
    const { names, signal, on, clock } = this.#options;
    const topic = topicOf(message, names);
    const codec = await this.#codecOf(message);
    const values = await unlessStopped(codec.encode(events.map(({ fields }) => fields)), signal);
    if (values === undefined) return;
    const at = clock.now();
    const records = events.map(({ fields: { event_id, product_id } }, i) => {
      return { key: product_id, value: values[i] ?? null, headers: clientHeaders(message, event_id, { at }) };
    });
    const { outcomes, failure } = await producer.send(topic, records, { signal });
    const stored = events.flatMap((event, i) => {
      const outcome = outcomes[i];
      return typeof outcome === 'object' ? [{ ...event, ...outcome, topic }] : [];
    });
    const unknown = events.filter((_, i) => outcomes[i] === 'unknown');
    this.sent += stored.length;
    this.unknown = unknown;
    this.failed += events.length - stored.length - unknown.length;
    this.byTopic.set(topic, (this.byTopic.get(topic) ?? 0) + stored.length);
    if (stored.length > 0) on({ kind: 'sent', events: stored });
    if (unknown.length > 0) on({ kind: 'unknown', topic, events: unknown });
    if (failure !== null) throw doubted(failure, unknown, this.#options);
    if (stored.length < events.length) {
      throw new Failure('broker_refused', `the brokers refused some events for topic ${topic}`, {
        fix: 'check the configuration of the topic and the logs of the brokers',
        context: { topic },
      });
    }
  }
}

function doubted(failure: Error, unknown: readonly SourceEvent[], { again }: SendEventsOptions): Error {
  if (!isFailure(failure) || unknown.length === 0) return failure;
  const ids = unknown.map(({ fields }) => fields.event_id);
  return withDoubt(failure, { ids, what: 'events', way: sentAgain(unknown, again) });
}
