import { expect, onTestFinished, test } from 'vitest';
import { FAKETIME } from '../support/faketime.ts';
import { randomFrom } from '../support/random.ts';
import { ThreeNodes } from '../support/three-nodes/cluster.ts';
import { cutFromPeers, cutOff, spreadLeaders } from '../support/three-nodes/events.ts';
import { fillDisk, setClock, slowLinks } from '../support/three-nodes/faults.ts';
import { openNamespaces, whyNoNamespaces } from '../support/three-nodes/namespaces.ts';
import { longest, table } from '../support/three-nodes/table.ts';
import { Trial } from '../support/three-nodes/trial.ts';

/**
 * `npm run cluster-test`: three nodes as on three machines, and what can happen to one of them, as often as one likes, while
 * the whole shop is at work.
 */
const rounds = Number(process.env.ORDERCTL_TEST_ROUNDS ?? 5);
const perSecond = Number(process.env.ORDERCTL_TEST_RATE ?? 100);
/** By name, with commas; left out: all. */
const only = process.env.ORDERCTL_TEST_KINDS?.split(',');
const seed = Number(process.env.ORDERCTL_TEST_SEED ?? Date.now() % 1_000_000);

/** From a new leader to the next decision. */
const LIMIT_MS = 3_000;
/** The longest that orders of other partitions wait. */
const ELSEWHERE_MS = 5_000;
const ROUND_MS = 120_000;
/** Three JVMs beside those of `npm run test:kafka`, on two cores. */
const START_MS = 240_000;
const PARTITIONS = 6;
const LONGEST_MS = 5_000;
/** Beyond what brokers let the times of records be ahead of theirs, by default an hour. */
const AHEAD_S = 7_200;
/** About twice what a hundred orders a second take among the nodes: what comes in bursts has to wait. */
const SLOW_BITS_PER_SECOND = 1_000_000;

const missing = whyNoNamespaces();
if (missing !== null) process.stderr.write(`skipped: ${missing}\n`);
if (FAKETIME === null)
  process.stderr.write('skipped: the clock of a node (Debian: apt-get install libfaketime)\n');

const random = randomFrom(seed);
const forMs = (): number => random() * LONGEST_MS;

interface Kind {
  readonly strike: (trial: Trial, node: number) => Promise<void>;
  /** The node may go on leading its partitions: of those that it keeps, measured from the end. */
  readonly keeps?: boolean;
}

const KINDS: Readonly<Record<string, Kind>> = {
  'cut off from all': { strike: (trial, node) => cutOff(trial, node, forMs()) },
  'cut off from its peers': { strike: (trial, node) => cutFromPeers(trial, node, forMs()) },
  'disk full': { strike: (trial, node) => fillDisk(trial, node, forMs()) },
  'slow links': {
    strike: (trial, node) => slowLinks(trial, node, SLOW_BITS_PER_SECOND, forMs()),
    keeps: true,
  },
  'clock off': {
    strike: (trial, node) => setClock(trial, node, random() < 0.5 ? AHEAD_S : -AHEAD_S, forMs()),
    keeps: true,
  },
};

for (const name of only ?? [])
  if (!(name in KINDS)) throw new Error(`ORDERCTL_TEST_KINDS: there is no ${name}`);
const kinds = Object.entries(KINDS).filter(
  ([name]) => (name !== 'clock off' || FAKETIME !== null) && (only?.includes(name) ?? true),
);
if (kinds.length === 0) throw new Error('ORDERCTL_TEST_KINDS: none of them can be tried here');

test.skipIf(missing !== null)(
  `a leader of three machines, ${rounds} times each: ${kinds.map(([name]) => name).join(', ')} (ORDERCTL_TEST_SEED=${seed})`,
  { timeout: START_MS + kinds.length * rounds * ROUND_MS },
  async () => {
    const cluster = await ThreeNodes.start(openNamespaces);
    onTestFinished(async ({ task }) => {
      if (task.result?.state === 'fail') process.stderr.write(`${cluster.logs()}\n`);
      await cluster.stop();
    }, START_MS);
    const trial = await Trial.start(cluster, { partitions: PARTITIONS, perSecond, isWhole: true });
    for (const [kind, { strike, keeps = false }] of kinds) {
      for (let round = 1; round <= rounds; round += 1) {
        const node = trial.leaders.of(Math.floor(random() * PARTITIONS)).leader;
        await trial.during(kind, () => strike(trial, node), keeps ? [node] : []);
        await spreadLeaders(trial);
        process.stderr.write(`${kind} ${round}/${rounds}\n`);
      }
    }
    process.stderr.write(`${table(trial.measured)}\n`);
    await trial.balance();
    expect(longest(trial.measured)).toBeLessThan(LIMIT_MS);
    expect(Math.max(0, ...trial.measured.flatMap(({ othersMs }) => othersMs))).toBeLessThan(ELSEWHERE_MS);
  },
);
