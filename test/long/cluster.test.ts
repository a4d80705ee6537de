import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomFrom } from '../support/random.ts';
import { ThreeNodes } from '../support/three-nodes/cluster.ts';
import {
  cutFromClients,
  cutFromPeers,
  cutOff,
  killAndRestart,
  moveLeader,
  pauseNode,
  spreadLeaders,
  takeLeaderAway,
} from '../support/three-nodes/events.ts';
import { longest, table } from '../support/three-nodes/table.ts';
import { Trial } from '../support/three-nodes/trial.ts';

/** `npm run cluster-test`: one consumer on three nodes beside a flow of orders, hurt as often as one likes. */
const moves = Number(process.env.ORDERCTL_TEST_MOVES ?? 50);
const kills = Number(process.env.ORDERCTL_TEST_KILLS ?? 20);
const cuts = Number(process.env.ORDERCTL_TEST_CUTS ?? 10);
const perSecond = Number(process.env.ORDERCTL_TEST_RATE ?? 700);
const seed = Number(process.env.ORDERCTL_TEST_SEED ?? Date.now() % 1_000_000);

/** From a new leader to the next decision. */
const LIMIT_MS = 5_000;
/** Of one event with what it takes until the next may come. */
const EVENT_MS = 120_000;

const PARTITIONS = 6;
const LONGEST_AWAY_MS = 5_000;

let cluster: ThreeNodes;
beforeAll(async () => {
  cluster = await ThreeNodes.start();
});
afterAll(() => cluster.stop());

test(
  `${moves} leader moves, ${kills} kills, ${cuts} cuts at ${perSecond} orders/s (ORDERCTL_TEST_SEED=${seed})`,
  { timeout: (moves + kills + cuts + 2) * EVENT_MS },
  async () => {
    const random = randomFrom(seed);
    const pick = (below: number): number => Math.floor(random() * below);
    const trial = await Trial.start(cluster, { partitions: PARTITIONS, perSecond });
    /** One that leads something, so that something follows. */
    const pickNode = () => trial.leaders.of(pick(PARTITIONS)).leader;
    const awayMs = () => pick(LONGEST_AWAY_MS);
    const kinds = {
      move: async () => {
        const partition = pick(PARTITIONS);
        if (pick(3) > 0) await trial.during('move by election', () => moveLeader(trial, partition));
        else await trial.during('move by reassignment', () => takeLeaderAway(trial, partition));
      },
      kill: async () => {
        const node = pickNode();
        await trial.during('kill -9 and restart', () => killAndRestart(trial, node, awayMs()));
        await spreadLeaders(trial);
      },
      cut: async (n: number) => {
        const node = pickNode();
        const ways = [
          () => trial.during('cut off from all', () => cutOff(trial, node, awayMs())),
          () => trial.during('cut off from its peers', () => cutFromPeers(trial, node, awayMs())),
          () => trial.during('paused, takes connections', () => pauseNode(trial, node, awayMs())),
          // No new leader then: measured from the moment when it can be reached again.
          () => trial.during('cut off from clients', () => cutFromClients(trial, node, awayMs()), [node]),
        ];
        await ways[n % ways.length]?.();
        await spreadLeaders(trial);
      },
    };
    const events = shuffled(
      [
        ...Array.from({ length: moves }, () => kinds.move),
        ...Array.from({ length: kills }, () => kinds.kill),
        ...Array.from({ length: cuts }, (_, n) => () => kinds.cut(n)),
      ],
      pick,
    );
    for (const [index, event] of events.entries()) {
      await event();
      process.stderr.write(`${index + 1}/${events.length} ${trial.measured.at(-1)?.kind ?? ''}\n`);
    }
    process.stderr.write(`${table(trial.measured)}\n`);
    await trial.balance();
    expect(longest(trial.measured)).toBeLessThan(LIMIT_MS);
  },
);

function shuffled<T>(list: readonly T[], pick: (below: number) => number): T[] {
  const left = [...list];
  return list.flatMap(() => left.splice(pick(left.length), 1));
}
