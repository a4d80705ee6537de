import { newEffect, type Effect } from '../../src/domain/effects.ts';
import { newFact, type Fact, type FactLog, type SmallTable } from '../../src/domain/facts.ts';
import { outgoing } from '../../src/domain/messages/outgoing.ts';
import { ALERT } from '../../src/domain/messages/shop/alert.ts';
import { INVENTORY_EVENT } from '../../src/domain/messages/shop/inventory-event.ts';
import type { Outgoing, StoredPosition, StoreReader } from '../../src/ports/store.ts';
import type { Truth } from './oracle.ts';
import { TOPIC } from './topic.ts';
import type { World } from './world.ts';

/*
 * What a second service keeps in the folder: facts, a small table, movements of stock, effects, records for other topics
 * and positions of its own. Each call of it is one transaction, and each part of it is there or none is.
 */

interface Happened extends Fact {
  readonly thing: string;
  readonly step: number;
}

export const HAPPENED: FactLog<Happened> = { name: 'happened', key: 'thing' };
const COUNTERS: SmallTable<number> = { name: 'counters' };
const SERVICE = 'warehouse';
const LEASE_MS = 3_600_000;

export const DESTINATIONS = ['sim-a', 'sim-b', 'alerts', 'inventory-events'] as const;
export type SimDestination = (typeof DESTINATIONS)[number];

export interface PartsCall {
  readonly thing: string;
  readonly item: string;
  readonly delta: number;
  readonly partition: number;
  /** Where it sends something: records to topics, and messages by their type. None holds up another. */
  readonly topics: readonly SimDestination[];
  readonly asks: boolean;
}

export interface EffectsCall {
  readonly answer: 'done' | 'later' | 'parked' | 'none';
}

/** Plain values: nothing of the store's own. */
export interface Parts {
  readonly calls: number;
  readonly facts: readonly string[];
  readonly counters: ReadonlyMap<string, number>;
  readonly movements: readonly string[];
  readonly positions: ReadonlyMap<number, number>;
  /** `owner`: who tried it last. */
  readonly effects: ReadonlyMap<string, Pick<Effect, 'state' | 'attempts'> & { readonly owner: number }>;
}

export const NO_PARTS: Parts = {
  calls: 0,
  facts: [],
  counters: new Map(),
  movements: [],
  positions: new Map(),
  effects: new Map(),
};

/** What can be seen of them. */
export function shown({ facts, counters, movements, positions, effects }: Parts): readonly string[] {
  const rows = <K, V>(kind: string, of: ReadonlyMap<K, V>, say: (value: V) => string): string[] =>
    [...of].map(([key, value]) => `${kind} ${String(key)}: ${say(value)}`).sort();
  return [
    ...facts,
    ...movements,
    ...rows('counter', counters, String),
    ...rows('position', positions, String),
    ...rows('effect', effects, ({ state, attempts }) => `${state} ${attempts}`),
  ];
}

export type ShownParts = Pick<StoreReader, 'allFacts' | 'movements' | 'positions' | 'effects' | 'small'>;

/** The same as a store or a reader has them. */
export async function read(reader: ShownParts): Promise<readonly string[]> {
  const [facts, movements]: [string[], string[]] = [[], []];
  for await (const chunk of reader.allFacts(HAPPENED)) for (const fact of chunk) facts.push(sayFact(fact));
  for await (const chunk of reader.movements()) {
    for (const { item, delta, onHand } of chunk) movements.push(`moved ${item} ${delta} to ${onHand}`);
  }
  const positions = (await reader.positions()).filter(({ processor }) => processor === SERVICE);
  const effects = await reader.effects();
  return shown({
    ...NO_PARTS,
    facts,
    movements,
    counters: await reader.small(COUNTERS),
    positions: new Map(positions.map(({ partition, next }) => [partition, next])),
    effects: new Map(effects.map(({ id, state, attempts }) => [id, { state, attempts, owner: 0 }])),
  });
}

function sayFact({ thing, step }: Happened): string {
  return `${thing} step ${step}`;
}

function afterCall(truth: Truth, call: PartsCall, storeId: string): Truth {
  const { parts, rows } = truth;
  const number = parts.calls + 1;
  const stock = rows['inventory.csv'] as ReadonlyMap<string, number>;
  const onHand = moved(stock.get(call.item), call.delta);
  const counted = (parts.counters.get(call.thing) ?? 0) + 1;
  // A row that is gone is counted from the beginning.
  const counters = new Map(parts.counters);
  if (counted > 3) counters.delete(call.thing);
  else counters.set(call.thing, counted);
  const records = call.topics.map((topic) => {
    const id = topic.startsWith('sim-') ? `${topic}/0@${number}` : `${storeId}/${topic}/${number}`;
    return { id, topic, tooLarge: false };
  });
  return {
    ...truth,
    rows: onHand === null ? rows : { ...rows, 'inventory.csv': new Map(stock).set(call.item, onHand) },
    unsent: [...truth.unsent, ...records],
    deadLetters: [...truth.deadLetters, ...records.map(({ id }) => id)],
    parts: {
      calls: number,
      facts: [...parts.facts, `${call.thing} step ${number}`],
      counters,
      movements:
        onHand === null
          ? parts.movements
          : [...parts.movements, `moved ${call.item} ${call.delta} to ${onHand}`],
      positions: new Map(parts.positions).set(call.partition, number),
      effects: call.asks
        ? new Map(parts.effects).set(`e-${number}`, { state: 'due', attempts: 0, owner: 0 })
        : parts.effects,
    },
  };
}

/** @returns null where there is no such item, or not so much of it */
function moved(quantity: number | undefined, delta: number): number | null {
  return quantity === undefined || quantity + delta < 0 ? null : quantity + delta;
}

/** One transaction of the service. What it reads is what was committed, its own included. */
export async function callService(world: World, call: PartsCall): Promise<void> {
  const { truth, store, clock } = world;
  const after = afterCall(truth, call, store.storeId);
  const number = after.parts.calls;
  world.truths = [truth, after];
  const position: StoredPosition = {
    processor: SERVICE,
    topic: TOPIC,
    partition: call.partition,
    next: number,
    last: null,
    clusterId: null,
  };
  const keys = { items: [call.item], facts: new Map([[HAPPENED, [call.thing]]]), positions: [position] };
  await store.transact(keys, (snapshot) => {
    const known = snapshot.facts(HAPPENED, call.thing).map(sayFact);
    const wanted = truth.parts.facts.filter((fact) => fact.startsWith(`${call.thing} `));
    if (known.join() !== wanted.join()) throw new Error(`of ${call.thing} is known: ${known.join()}`);
    const before = snapshot.position(position)?.next;
    if (before !== truth.parts.positions.get(call.partition))
      throw new Error(`the service is at ${before ?? 'none'}`);
    const counted = (snapshot.small(COUNTERS, call.thing) ?? 0) + 1;
    const { item, delta } = call;
    const canMove = moved(snapshot.quantity(item), delta) !== null;
    return {
      changes: {
        facts: [newFact(HAPPENED, { thing: call.thing, step: number })],
        small: [{ table: COUNTERS, key: call.thing, value: counted > 3 ? null : counted }],
        movements: canMove ? [{ item, delta, cause: 'restock', orderId: null, eventId: `n-${number}` }] : [],
        positions: [position],
        outgoing: call.topics.map((topic) => outgoingTo(topic, call, number, world)),
        effects: call.asks
          ? [newEffect({ id: `e-${number}`, kind: 'charge', key: `k-${number}`, fields: {} }, clock.now())]
          : [],
      },
      result: null,
    };
  });
  world.truths = [after];
  await world.send();
}

function outgoingTo(
  topic: SimDestination,
  { item, delta }: PartsCall,
  number: number,
  world: World,
): Outgoing {
  const at = world.clock.now();
  const cause = { store: world.store.storeId, of: [number], at, traceparent: null };
  const shared = { item, revision: number, on_hand: delta, order_id: null, at };
  switch (topic) {
    case 'alerts': {
      const fields = { ...shared, kind: 'low_stock', reorder_level: null, message: 'low' } as const;
      return outgoing(ALERT, (id) => ({ ...fields, event_id: id }), cause);
    }
    case 'inventory-events': {
      const fields = { ...shared, delta, cause: 'restock' } as const;
      return outgoing(INVENTORY_EVENT, (id) => ({ ...fields, event_id: id }), cause);
    }
    case 'sim-a':
    case 'sim-b':
      return recordFor(topic, number);
  }
}

function recordFor(topic: string, number: number): Outgoing {
  const headers = Object.entries({ topic, partition: '0', offset: String(number) });
  return {
    kind: 'record',
    id: `${topic}/0@${number}`,
    topic,
    key: null,
    value: Buffer.from('bytes'),
    headers: headers.map(([name, value]) => [`x-original-${name}`, Buffer.from(value)] as const),
  };
}

/**
 * Takes all effects that may be tried, each of which is tried by one owner alone, and answers them.
 *
 * @returns as they were handed out
 */
export async function performEffects(world: World, { answer }: EffectsCall): Promise<readonly Effect[]> {
  const { truth, store, owner, clock } = world;
  const taken = new Map(truth.parts.effects);
  const wanted: string[] = [];
  for (const [id, { state, attempts, owner: by }] of truth.parts.effects) {
    // Money is a matter of its own.
    const isOther = !id.startsWith('e-');
    if (isOther || state === 'parked' || (state === 'trying' && by === owner)) continue;
    wanted.push(id);
    taken.set(id, { state: 'trying', attempts: attempts + 1, owner });
  }
  let known: Truth = { ...truth, parts: { ...truth.parts, effects: taken } };
  world.truths = [truth, known];
  const given = await store.takeEffects({ kinds: ['charge'], limit: 1_000, leaseMs: LEASE_MS });
  world.truths = [known];
  const ids = given.map(({ id }) => id);
  if (ids.toSorted().join() !== wanted.toSorted().join()) {
    throw new Error(`effects ${ids.join()} were given, not ${wanted.join()}`);
  }
  if (answer === 'none') return given;
  for (const effect of given) {
    const { id } = effect;
    const effects = new Map(known.parts.effects);
    const next: Effect = { ...effect, state: answer === 'parked' ? 'parked' : 'due', dueAt: clock.now() };
    if (answer === 'done') effects.delete(id);
    else effects.set(id, { state: next.state, attempts: effect.attempts, owner });
    const after: Truth = { ...known, parts: { ...known.parts, effects } };
    world.truths = [known, after];
    await store.transact({ effects: [id] }, (snapshot) => {
      if (snapshot.effect(id)?.attempts !== effect.attempts) throw new Error(`${id} was tried by another`);
      return { changes: { effects: [{ id, effect: answer === 'done' ? null : next }] }, result: null };
    });
    known = after;
    world.truths = [known];
  }
  return given;
}
