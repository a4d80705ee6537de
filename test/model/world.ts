/*
 * The protocol by which processors, their outbox and their effects work on one store from two instances, as a model
 * small enough to be explored whole: protocol.test.ts visits every state that it can reach. The model is the
 * specification; what the adapters do beyond it (files, SQL, Kafka's protocol) has tests of its own.
 *
 * Two processors stand for all of them. `payment` reads `created` and charges each order through a gateway, which is
 * an effect; `inventory` reads `paid` and takes stock. Each topic has one partition. An instance may be scheduled at
 * any time or not at all: one that is asleep is one that nobody schedules, and it goes on where it was.
 */

export const GROUPS = ['payment', 'inventory'] as const;
export type Group = 0 | 1;

/** What a record is about, which is also its message id unless `rules.idsFromCauses` is broken. */
export type Cause = string;
export type Topic = 'created' | 'paid' | 'events' | 'dlq';
export type Row = readonly [cause: Cause, topic: Topic, number: number];
export type Sent = readonly [cause: Cause, id: string];

export interface Effect {
  /** `asked`: a call may have been made, and its outcome is not known. */
  state: 'due' | 'asked' | 'done' | 'parked';
  attempts: number;
  /** The instance that has the lease; -1: none. */
  holder: number;
}

export interface Call {
  readonly order: string;
  step: 'look' | 'ask' | 'wait' | 'paid' | 'unknown';
  /** Begun so long ago that the gateway may have forgotten the key by now: the caller's clock says so. */
  isOld: boolean;
}

/** What an instance has in memory: gone after a crash. */
export interface Instance {
  batch: { group: Group; from: number; number: number } | null;
  call: Call | null;
  /** Believes that it has the lease of the outbox. */
  leads: boolean;
  toSend: Row[];
  toDelete: Row[];
}

/** How often each misfortune may still happen; progress never needs one. */
export interface Budget {
  crashes: number;
  /** Leases that end while their holder lives: it is asleep. */
  expiries: number;
  /** Answers of the gateway that do not arrive in time. */
  lostAnswers: number;
  /** Keys that the gateway forgets. */
  forgets: number;
}

export interface World {
  /** The store: changed in transactions only. */
  positions: [number, number];
  /** A small table that counts the records of each group: it notices when one counts twice. */
  counted: [number, number];
  facts: Record<string, string[]>;
  effects: Record<string, Effect>;
  outbox: Row[];
  outboxHolder: number;
  /** The revision of the one item: raised by each sale. */
  revision: number;
  numbers: number;
  /** Kafka: append-only. */
  topics: Record<Topic, Sent[]>;
  /** The gateway: charges made, keys remembered, requests on their way to it. */
  charged: Record<string, number>;
  remembered: string[];
  requests: { order: string; caller: number }[];
  instances: [Instance, Instance];
  budget: Budget;
}

/** The rules of the protocol. The tests break each of them to see that the properties notice. */
export interface Rules {
  /** A transaction compares the position of its batch with the stored one. */
  readonly comparesPositions: boolean;
  /** Outgoing messages are committed with the decision that caused them. */
  readonly hasOutbox: boolean;
  /** A message id follows from what happened, not from the sending. */
  readonly idsFromCauses: boolean;
  /** Rows are deleted one by one, not up to the highest number sent. */
  readonly deletesById: boolean;
  /** A repeated record is recognised by the facts of its order. */
  readonly knowsFacts: boolean;
  /** A call is made after the commit that says it may have been made. */
  readonly commitsBeforeCalls: boolean;
  /** After an unknown outcome the gateway is asked what became of the key before another try. */
  readonly looksUp: boolean;
  /** Nobody calls with a lease older than the time for which the gateway keeps a key. */
  readonly looksAtTheClock: boolean;
  /** An answer counts only for an effect that has none. */
  readonly answersOnce: boolean;
  /** A retry that ends becomes a dead letter. */
  readonly parksVisibly: boolean;
  /** Readers of an item ignore a revision that is not higher. */
  readonly readsByRevision: boolean;
}

export const RULES: Rules = {
  comparesPositions: true,
  hasOutbox: true,
  idsFromCauses: true,
  deletesById: true,
  knowsFacts: true,
  commitsBeforeCalls: true,
  looksUp: true,
  looksAtTheClock: true,
  answersOnce: true,
  parksVisibly: true,
  readsByRevision: true,
};

/** A record that cannot be decoded. */
export const POISON = '!';
/** Attempts after which an effect is parked. */
export const MAX_ATTEMPTS = 2;

const idle = (): Instance => ({ batch: null, call: null, leads: false, toSend: [], toDelete: [] });

/** @param created the records of `created`: order ids, repeated ones too, and POISON */
export function begin(created: readonly string[], budget: Budget): World {
  const orders = [...new Set(created)].filter((order) => order !== POISON);
  return {
    positions: [0, 0],
    counted: [0, 0],
    facts: Object.fromEntries(orders.map((order) => [order, []])),
    effects: {},
    outbox: [],
    outboxHolder: -1,
    revision: 0,
    numbers: 0,
    topics: { created: created.map((cause) => [cause, cause]), paid: [], events: [], dlq: [] },
    charged: Object.fromEntries(orders.map((order) => [order, 0])),
    remembered: [],
    requests: [],
    instances: [idle(), idle()],
    budget,
  };
}

/** All of them charged, and read by nobody yet: what is left is the part of `inventory`. */
export function beginPaid(orders: readonly string[], budget: Budget): World {
  const world = begin(orders, budget);
  world.positions[0] = world.counted[0] = orders.length;
  for (const order of orders) {
    world.facts[order] = ['requested', 'paid'];
    world.effects[order] = { state: 'done', attempts: 1, holder: -1 };
    world.charged[order] = 1;
    world.topics.paid.push([`paid:${order}`, `paid:${order}`]);
  }
  return world;
}

/** `kill -9`: what was in memory is gone; leases and requests on their way are not. */
export function crash(world: World, at: 0 | 1): void {
  world.instances[at] = idle();
  for (const request of world.requests) if (request.caller === at) request.caller = -1;
}
