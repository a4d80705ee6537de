import type { Rules } from './rules.ts';

/*
 * The heart as a model: how processors, their outbox and their effects work on one store from two instances, small
 * enough for explore.ts to visit every reachable state. It is the specification of what the ports owe each other; what
 * the adapters do in addition (files, SQL, Kafka's protocol) has its own tests.
 *
 * An instance may be scheduled at any time or not at all: an instance that is asleep is one that is not scheduled. It
 * resumes where it was, with what it had in memory. It may crash before and after every step.
 *
 * Lessons for the ports:
 * - What was read before a sleep is compared in the transaction: the position for a batch, the attempt for an answer.
 *   The number of the attempt, counted in the store before the call, is the fence: instances need no names for that.
 * - A lease may expire at any moment, even while its holder lives; from then on the holder must start no call. A second
 *   charge is prevented by that, by using one key for all attempts, and by a look-up before each attempt unless the
 *   earlier attempts certainly did nothing.
 * - An answer to an attempt other than the last is dropped, and the next attempt looks it up. It is not enough that the
 *   effect is still pending: an old decline would fail an order that the next attempt has charged.
 * - Calls are limited, look-ups are not: an effect whose last call crashed is looked up and then parked.
 * - Rows of one key are in one shard, numbered under the lock on their subject, and sent in order. The first copies of
 *   a key's messages are then in order whichever instance falls asleep, so a reader that ignores lower revisions misses
 *   none.
 * - The id of an effect's dead letter contains the attempt; without it, an effect that is parked again would have no
 *   open dead letter. A redrive is one more attempt of the same effect, never a new effect.
 * - The commit of an answer reads the facts of the order in its own transaction, and so does the commit that drops the
 *   effect: a cancelled order whose charge is under way is refunded by the commit of the answer. If the charge may have
 *   been made, the effect is looked up instead of dropped; "not found" counts once no request can be on its way.
 *
 * Assumptions: a gateway keeps a key for longer than a request can be on its way; it finds a payment by its key
 * forever; and no instance falls asleep between checking its clock and making the call.
 */

/** `cancel` has cancellation requests; `gone` has payments to refund: orders refused by the stock, or cancelled. */
export type Topic =
  'created' | 'paid/0' | 'paid/1' | 'cancel' | 'gone' | 'failed' | 'refunded' | 'events' | 'dlq';

/** A record: its subject, its message id (the same for each copy unless a rule is broken), and its other fields. */
export type Sent = readonly [cause: string, id: string, content: string];

/** A message that is waiting to be sent. */
export type Row = readonly [cause: string, topic: Topic, content: string, number: number];

/** A pending effect: removed by the commit of its answer. */
export interface Effect {
  state: 'due' | 'parked';
  /** Counted before each call: only the answer to the last attempt counts. */
  attempts: number;
  /** Calls that may still be made; after that the effect is only looked up. */
  left: number;
  /** Whether it may have been done: an attempt is under way, or the outcome of one is unknown. */
  inDoubt: boolean;
  /** Whether an instance is working on it, or was. */
  leased: boolean;
}

export interface Call {
  /** `charge:a`, `refund:a`, `mail:a`; together with the attempt it identifies an answer. */
  readonly effect: string;
  readonly attempt: number;
  /** It is only looked up: its order is no longer wanted, or no calls are left. */
  readonly onlyLooks: 'unwanted' | 'spent' | null;
  /** Its state before this attempt. */
  readonly wasInDoubt: boolean;
  step: 'look' | 'ask' | 'wait' | Answer;
  /** Its lease has expired by the caller's clock. */
  isOld: boolean;
}

/**
 * `none`: nothing was charged, and nothing will be. `unreached`: this attempt did nothing, since the gateway was not
 * reached.
 */
export type Answer = 'done' | 'declined' | 'none' | 'unreached' | 'unknown';

/** What an instance has in memory: lost in a crash. */
export interface Instance {
  batch: { readonly source: number; readonly from: number; readonly number: number; isSent: boolean } | null;
  call: Call | null;
  sender: { readonly shard: number; readonly toSend: Row[]; readonly sent: Row[]; holds: boolean } | null;
  /** Under broken rules: what the instance does after its commit. */
  later: Later[];
}

export type Later =
  | { readonly do: 'send'; readonly row: Row }
  | { readonly do: 'move'; readonly source: number; readonly to: number }
  | { readonly do: 'add'; readonly effect: string };

/** How often each of these may still happen; progress never depends on one. */
export interface Budget {
  crashes: number;
  /** Leases that expire while their holder lives, because it is asleep. */
  expiries: number;
  /** Answers of the gateway that do not arrive in time. */
  lostAnswers: number;
  /** Calls that do not reach the gateway, which the caller notices. */
  refusals: number;
  /** Keys that the gateway forgets. */
  forgets: number;
  declines: number;
  /** Dead letters that are redriven. */
  redrives: number;
}

export interface World {
  /** The store: changed in transactions only. */
  positions: Record<string, number>;
  /** A small table with the offsets that each group has counted: it shows when one is counted twice. */
  counted: number[][];
  facts: Record<string, string[]>;
  effects: Record<string, Effect>;
  /** Rows by shard. */
  outbox: Row[][];
  /** Leases of shards. */
  leased: boolean[];
  /** The one item: the quantity on hand, and a revision that each sale raises. */
  stock: number;
  revision: number;
  numbers: number;
  /** Cause and content of every message that was ever committed, sorted: no processor reads this. */
  caused: string[];

  /** Kafka: append-only. */
  topics: Partial<Record<Topic, Sent[]>>;

  /** The gateway: what was done for each effect, the keys it remembers, and requests on their way to it. */
  performed: Record<string, number>;
  remembered: Record<string, Answer>;
  requests: { readonly effect: string; readonly attempt: number }[];

  /** They are interchangeable: kept in the order of their text. */
  instances: Instance[];
  budget: Budget;
}

/** Which processor reads which topic. A position belongs to one of these pairs. */
export type Source = readonly [group: 'payment' | 'inventory' | 'tracking', topic: Topic];

/** A scenario to explore: the initial state, and the settings for all of it. */
export interface Scenario {
  readonly sources: readonly Source[];
  /** One owner, whose transactions are numbered in commit order; otherwise two instances on a database. */
  readonly isFolder: boolean;
  readonly start: World;
}

/** What moves and properties are based on. */
export interface Model extends Omit<Scenario, 'start'> {
  readonly rules: Rules;
}

/** A record that cannot be decoded. */
export const POISON = '!';
/** Calls after which an effect is parked. */
const MAX_CALLS = 2;

export const newEffect = (): Effect => ({
  state: 'due',
  attempts: 0,
  left: MAX_CALLS,
  inDoubt: false,
  leased: false,
});
export const idle = (): Instance => ({ batch: null, call: null, sender: null, later: [] });

const CHECKOUT: readonly Source[] = [
  ['payment', 'created'],
  ['payment', 'gone'],
  ['inventory', 'paid/0'],
];
const NO_TROUBLE: Budget = {
  crashes: 0,
  expiries: 0,
  lostAnswers: 0,
  refusals: 0,
  forgets: 0,
  declines: 0,
  redrives: 0,
};

export interface Beginning {
  /** The records of `created`: order ids, repeated ones too, and POISON. */
  readonly created: readonly string[];
  readonly budget?: Partial<Budget>;
  readonly cancelled?: readonly string[];
  readonly sources?: readonly Source[];
  readonly stock?: number;
  readonly shards?: number;
  readonly isFolder?: boolean;
}

export function begin(beginning: Beginning): Scenario {
  const { created, budget = {}, cancelled = [], stock = 1, shards = 1, isFolder = false } = beginning;
  const sources: readonly Source[] =
    beginning.sources ?? (cancelled.length > 0 ? [...CHECKOUT, ['inventory', 'cancel']] : CHECKOUT);
  const orders = [...new Set(created)].filter((order) => order !== POISON).sort();
  const start: World = {
    positions: {},
    counted: sources.map(() => []),
    facts: Object.fromEntries(orders.map((order) => [order, []])),
    effects: {},
    outbox: Array.from({ length: shards }, () => []),
    leased: Array.from({ length: shards }, () => false),
    stock,
    revision: 0,
    numbers: 0,
    caused: [],
    topics: {
      created: created.map((order) => [order, order, '']),
      cancel: cancelled.map((order) => [`cancel:${order}`, `cancel:${order}`, '']),
    },
    performed: {},
    remembered: {},
    requests: [],
    instances: Array.from({ length: isFolder ? 1 : 2 }, idle),
    budget: { ...NO_TROUBLE, ...budget },
  };
  return { sources, isFolder, start };
}

/** All orders are charged and not read yet, each in a partition of its own: only `inventory` has work left. */
export function beginPaid(beginning: Beginning): Scenario {
  const sources: readonly Source[] = [
    ['inventory', 'paid/0'],
    ['inventory', 'paid/1'],
    ['payment', 'gone'],
  ];
  const { isFolder, start } = begin({ ...beginning, sources });
  for (const [index, order] of beginning.created.entries()) {
    start.facts[order] = ['requested', 'paid'];
    start.performed[`charge:${order}`] = 1;
    start.topics[index === 0 ? 'paid/0' : 'paid/1'] = [[`paid:${order}`, `paid:${order}`, '']];
    start.caused.push(`paid:${order} `);
  }
  start.topics.created = [];
  return { sources, isFolder, start };
}

/** `kill -9`: what was in memory is lost; leases and requests on their way are not. */
export function crash(world: World, at: number): void {
  world.instances[at] = idle();
}

/** `paid:a`, `dead:charge:a#2` → `a` */
export function orderOf(cause: string): string {
  return cause.slice(cause.lastIndexOf(':') + 1).replace(/#.*/, '');
}

export function factsOf(world: World, order: string): string[] {
  return (world.facts[order] ??= []);
}

export function logOf(world: World, topic: Topic): Sent[] {
  return (world.topics[topic] ??= []);
}

export function positionKey([group, topic]: Source, rules: Rules): string {
  return rules.positionsByGroup ? `${group} ${topic}` : topic;
}
