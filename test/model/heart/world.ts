import type { Rules } from './rules.ts';

/*
 * The heart as a model: how processors, their outbox and their effects work on one store from two instances, small
 * enough that explore.ts visits every state it can reach. It is the specification of what the ports owe each other;
 * what the adapters do beyond it (files, SQL, Kafka's protocol) has tests of its own.
 *
 * An instance may be scheduled at any time or not at all: one that is asleep is one that nobody schedules, and it goes
 * on where it was, with what it had in memory. It may crash before and after every step.
 *
 * What it teaches for the ports:
 * - What was read before a sleep is compared in the transaction: of a batch the position, of an answer the attempt. The
 *   number of the attempt, counted in the store before the call, is the fence: no instance needs a name for that.
 * - A lease may end at any moment, also while its holder lives, and then its holder begins no call any more. What keeps a
 *   second charge away is that, one key for all attempts, and a look-up before each attempt of which it is not sure
 *   that those before it did nothing.
 * - An answer that is not of the last attempt is dropped, and the next attempt looks it up. That the effect is still due
 *   is not enough: an old decline would fail an order that the next attempt has charged.
 * - Calls are limited, look-ups are not: an effect whose last call crashed is looked up and then parked.
 * - Rows of one key are in one shard, numbered under the lock of what they are about, and sent in order. The first copies
 *   of a key's messages are then in order whatever falls asleep, so a reader that ignores lower revisions misses none.
 * - The id of the dead letter of an effect has the attempt in it; without that, one that is parked again has no open one.
 *   A redrive is one more attempt of the same effect, never a new one.
 * - An answer reads the facts of its order in its own transaction, and so does what drops the effect: a cancelled order
 *   whose charge is under way is refunded by the commit of the answer. Where it may have been
 *   done the effect is looked up instead of dropped; that nothing was found counts once no request can be on its way.
 *
 * What it takes for granted: a gateway keeps a key for longer than a request can be on its way; it finds a payment by its
 * key for ever; and no instance falls asleep between the look at its clock and the call.
 */

/** `cancel` has wishes to cancel; `gone` what was paid for nothing: refused by the stock, or cancelled. */
export type Topic =
  'created' | 'paid/0' | 'paid/1' | 'cancel' | 'gone' | 'failed' | 'refunded' | 'events' | 'dlq';

/** A record: what it is about, its message id (the same unless a rule is broken), and the rest of it. */
export type Sent = readonly [cause: string, id: string, content: string];

/** A message that waits to be sent. */
export type Row = readonly [cause: string, topic: Topic, content: string, number: number];

/** What is owed: removed by the commit of its answer. */
export interface Effect {
  state: 'due' | 'parked';
  /** Counted before each call: the last one is the one whose answer counts. */
  attempts: number;
  /** Calls that may still be made; after that it is only looked up. */
  left: number;
  /** It may have been done: an attempt is under way, or it is not known what became of one. */
  inDoubt: boolean;
  /** An instance is at it, or was. */
  leased: boolean;
}

export interface Call {
  /** `charge:a`, `refund:a`, `mail:a`; with the attempt it is what an answer is known by. */
  readonly effect: string;
  readonly attempt: number;
  /** It is only looked up: its order is unwanted, or no calls are left. */
  readonly onlyLooks: 'unwanted' | 'spent' | null;
  /** As it was before this attempt. */
  readonly wasInDoubt: boolean;
  step: 'look' | 'ask' | 'wait' | Answer;
  /** Its lease has ended: the caller's clock says so. */
  isOld: boolean;
}

/**
 * `none`: nothing was charged, and nothing will be. `unreached`: this attempt did nothing, since the gateway was not
 * reached.
 */
export type Answer = 'done' | 'declined' | 'none' | 'unreached' | 'unknown';

/** What an instance has in memory: gone after a crash. */
export interface Instance {
  batch: { readonly source: number; readonly from: number; readonly number: number; isSent: boolean } | null;
  call: Call | null;
  sender: { readonly shard: number; readonly toSend: Row[]; readonly sent: Row[]; holds: boolean } | null;
  /** Of broken rules: what it does after its commit. */
  later: Later[];
}

export type Later =
  | { readonly do: 'send'; readonly row: Row }
  | { readonly do: 'move'; readonly source: number; readonly to: number }
  | { readonly do: 'add'; readonly effect: string };

/** How often each of these may still happen; progress never needs one. */
export interface Budget {
  crashes: number;
  /** Leases that end while their holder lives: it is asleep. */
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
  /** A small table, offsets that each group has counted: it notices when one counts twice. */
  counted: number[][];
  facts: Record<string, string[]>;
  effects: Record<string, Effect>;
  /** By shard. */
  outbox: Row[][];
  /** Of shards. */
  leased: boolean[];
  /** The one item: on hand, and raised by each sale. */
  stock: number;
  revision: number;
  numbers: number;
  /** Cause and content of every message that was ever committed, sorted: no processor reads this. */
  caused: string[];

  /** Kafka: append-only. */
  topics: Partial<Record<Topic, Sent[]>>;

  /** The gateway: what was done by effect, what it remembers of keys, requests on their way to it. */
  performed: Record<string, number>;
  remembered: Record<string, Answer>;
  requests: { readonly effect: string; readonly attempt: number }[];

  /** Which is which does not matter: they are kept in the order of their text. */
  instances: Instance[];
  budget: Budget;
}

/** Who reads what. A position belongs to one of these. */
export type Source = readonly [group: 'payment' | 'inventory' | 'tracking', topic: Topic];

/** What is explored: a beginning, and what holds in all of it. */
export interface Scenario {
  readonly sources: readonly Source[];
  /** One owner, whose transactions are numbered as they are committed; else two instances on a database. */
  readonly isFolder: boolean;
  readonly start: World;
}

/** What moves and properties go by. */
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

/** All orders charged, and read by nobody yet, each in a partition of its own: what is left is the part of `inventory`. */
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

/** `kill -9`: what was in memory is gone; leases and requests on their way are not. */
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
