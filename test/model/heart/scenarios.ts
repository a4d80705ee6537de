import { FOLDER_RULES, RULES, type Rules } from './rules.ts';
import { begin, beginPaid, POISON, type Scenario, type Source } from './world.ts';

const ONE_OF_EACH = { crashes: 1, expiries: 1, lostAnswers: 1, forgets: 1 };

type Named = Readonly<Record<string, Scenario>>;

/** The rules that apply where none is broken. */
export const rulesOf = ({ isFolder }: Scenario): Rules => (isFolder ? FOLDER_RULES : RULES);

/** Explored in `npm test`: seconds. */
export const SHORT: Named = {
  'one order, twice in the topic, a crash': begin({ created: ['a', 'a'], budget: { crashes: 1 } }),
  'a call that does not reach the gateway, after one whose answer was lost': begin({
    created: ['a'],
    budget: { lostAnswers: 1, refusals: 2, forgets: 1, redrives: 1 },
  }),
  'a folder: two crashes, an answer lost, a key forgotten': begin({
    created: ['a'],
    isFolder: true,
    budget: { ...ONE_OF_EACH, crashes: 2, expiries: 0 },
  }),
};

/** Explored by `npm run model` too, and in `npm run test:long`. */
export const LARGER: Named = {
  'one order, a crash, an answer lost, a key forgotten': begin({
    created: ['a'],
    budget: { ...ONE_OF_EACH, expiries: 0 },
  }),
  'an order behind a record that cannot be read, a crash': begin({
    created: [POISON, 'a'],
    budget: { crashes: 1 },
  }),
  'two orders for the last one': begin({ created: ['a', 'b'] }),
  'two sales of one item from two partitions, asleep while sending': beginPaid({
    created: ['a', 'b'],
    stock: 2,
    shards: 2,
    budget: { expiries: 1, crashes: 1 },
  }),
  'a folder: a charge parked and redriven, a crash': begin({
    created: ['a'],
    isFolder: true,
    budget: { crashes: 1, lostAnswers: 3, redrives: 1, forgets: 1 },
  }),
  'a decline, asleep with it, its key forgotten': begin({
    created: ['a'],
    budget: { expiries: 1, declines: 1, forgets: 1 },
  }),
  'a folder: two orders for the last one, a crash': begin({
    created: ['a', 'b'],
    isFolder: true,
    budget: { crashes: 1 },
  }),
  'one order, an instance asleep, an answer lost, a key forgotten': begin({
    created: ['a'],
    budget: { ...ONE_OF_EACH, crashes: 0 },
  }),
  'a cancel while the charge is under way, an answer lost': begin({
    created: ['a'],
    cancelled: ['a'],
    budget: { lostAnswers: 1 },
  }),
  'a charge parked twice and redriven twice': begin({
    created: ['a'],
    budget: { lostAnswers: 3, redrives: 2, forgets: 1 },
  }),
};

/** Explored by `npm run model -- --long`, which takes minutes. */
export const LONG: Named = {
  'one order, one of each, a decline': begin({ created: ['a'], budget: { ...ONE_OF_EACH, declines: 1 } }),
  'one order, one of each, parked and redriven': begin({
    created: ['a'],
    budget: { ...ONE_OF_EACH, lostAnswers: 2, redrives: 1 },
  }),
  'one order, twice in the topic, one of each': begin({ created: ['a', 'a'], budget: ONE_OF_EACH }),
  'an order behind a record that cannot be read, one of each': begin({
    created: [POISON, 'a'],
    budget: ONE_OF_EACH,
  }),
  'two orders for the last one, asleep': begin({ created: ['a', 'b'], budget: { expiries: 1 } }),
  'two orders for the last one, a crash': begin({ created: ['a', 'b'], budget: { crashes: 1 } }),
  'a cancel, asleep': begin({ created: ['a'], cancelled: ['a'], budget: { expiries: 1 } }),
  'a cancel, a crash': begin({ created: ['a'], cancelled: ['a'], budget: { crashes: 1 } }),
  'a cancel, an answer lost, the gateway not reached': begin({
    created: ['a'],
    cancelled: ['a'],
    budget: { lostAnswers: 1, refusals: 1 },
  }),
  'a cancel, its refund parked and redriven': begin({
    created: ['a'],
    cancelled: ['a'],
    budget: { lostAnswers: 2, redrives: 1 },
  }),
  'a folder: a cancel, a crash, an answer lost': begin({
    created: ['a'],
    cancelled: ['a'],
    isFolder: true,
    budget: { crashes: 1, lostAnswers: 1 },
  }),
};

/** With a second processor that reads the first topic. */
const TRACKED: readonly Source[] = [
  ['payment', 'created'],
  ['tracking', 'created'],
  ['inventory', 'paid/0'],
  ['payment', 'gone'],
];

/** For each rule, the scenarios in which its absence leads to a violation, and the violation's message. */
export const BROKEN: Readonly<Record<Exclude<keyof Rules, 'leasesShards'>, [Scenario, RegExp]>> = {
  positionsByGroup: [begin({ created: ['a'], sources: TRACKED }), /tracking created counted 0 records/],
  comparesPositions: [begin({ created: ['a'] }), /payment created counted record 0 twice/],
  movesPositionInCommit: [
    begin({ created: ['a'], isFolder: true, budget: { crashes: 1 } }),
    /payment created counted record 0 twice/,
  ],
  knowsFacts: [begin({ created: ['a', 'a'] }), /fact twice: requested/],
  hasOutbox: [begin({ created: [POISON], budget: { crashes: 1 } }), /dead:created@0 .*is lost/],
  sendsAfterCommit: [
    beginPaid({ created: ['a', 'b'], stock: 2 }),
    /stock#1 .*was sent with two contents|stock#1 .*reports something that never happened/,
  ],
  idsFromCauses: [begin({ created: [POISON], budget: { expiries: 1 } }), /sent under two ids/],
  numbersUnderLock: [beginPaid({ created: ['a', 'b'], stock: 2 }), /revision 2 .*before the one below/],
  shardsByKey: [beginPaid({ created: ['a', 'b'], stock: 2, shards: 2 }), /revision 2 .*before the one below/],
  deletesById: [begin({ created: ['a', POISON] }), /dead:created@1 .*is lost/],
  deletesAfterSending: [begin({ created: [POISON], budget: { crashes: 1 } }), /dead:created@0 .*is lost/],
  readsByRevision: [
    beginPaid({ created: ['a', 'b'], stock: 2, budget: { expiries: 1 } }),
    /reader of the item is at revision 1 of 2/,
  ],
  addsEffectsInCommit: [begin({ created: ['a'], budget: { crashes: 1 } }), /order a waits for nothing/],
  countsBeforeCalls: [begin({ created: ['a'], budget: { crashes: 1, forgets: 1 } }), /charge:a was done 2/],
  keepsKey: [begin({ created: ['a'], budget: { lostAnswers: 1 } }), /charge:a was done 2 times/],
  looksUp: [begin({ created: ['a'], budget: { lostAnswers: 1, forgets: 1 } }), /charge:a was done 2 times/],
  asksWithinLease: [
    begin({ created: ['a'], isFolder: true, budget: { lostAnswers: 1, forgets: 1 } }),
    /charge:a was done 2 times/,
  ],
  comparesAttempts: [
    begin({ created: ['a'], budget: { expiries: 1, forgets: 1, declines: 1 } }),
    /order a was charged but is requested, failed/,
  ],
  answersInOneCommit: [begin({ created: ['a'], budget: { crashes: 1 } }), /paid:a .*is lost/],
  answersSeeFacts: [
    begin({ created: ['a'], cancelled: ['a'] }),
    /order a waits for nothing: .*unwanted, paid/,
  ],
  dropsOnlyUndone: [begin({ created: ['a'], cancelled: ['a'] }), /order a was charged but is .*dropped/],
  remembersDoubt: [
    begin({ created: ['a'], budget: { lostAnswers: 1, refusals: 1, forgets: 1, redrives: 1 } }),
    /charge:a was done 2 times/,
  ],
  waitsForRequests: [
    begin({ created: ['a'], cancelled: ['a'], budget: { lostAnswers: 1 } }),
    /order a was charged but is .*dropped/,
  ],
  parksVisibly: [begin({ created: ['a'], budget: { lostAnswers: 2 } }), /order a waits for nothing/],
  numbersParkings: [
    begin({ created: ['a'], budget: { lostAnswers: 3, redrives: 1 } }),
    /dead:charge:a .*two contents under one id/,
  ],
  redrivesTheSame: [
    begin({ created: ['a'], budget: { lostAnswers: 2, redrives: 1, forgets: 1 } }),
    /charge:a was done 2 times/,
  ],
};
