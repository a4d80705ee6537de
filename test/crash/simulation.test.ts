import { expect, test } from 'vitest';
import { explore, noCounts, type Exploration } from '../simulate/explore.ts';
import { explain, shrink } from '../simulate/shrink.ts';
import { makeHistory, type History } from '../simulate/steps.ts';
import { tries } from '../support/effort.ts';

/*
 * Short histories of a storage folder on a file system that loses what was not synced: test/simulate/.
 * The same for as long as one likes, with a crash before every call: npm run simulate.
 */

const FIRST_SEED = Number(process.env.ORDERCTL_TEST_SEED ?? 1);
const HISTORIES = Number(process.env.ORDERCTL_TEST_HISTORIES ?? tries(300, 8));

async function simulate(first: number, histories: number, steps: number, exploration: Exploration) {
  const counts = noCounts();
  for (let seed = first; seed < first + histories; seed++) {
    const history = makeHistory(seed, steps);
    try {
      await explore(history, exploration, counts);
    } catch (error) {
      const smallest = await shrink(history, error, exploration);
      throw new Error(
        `seed ${seed}: ${explain(error)}\nsmallest history that fails: ${JSON.stringify(smallest.history)}\n${explain(smallest.error)}`,
        { cause: error },
      );
    }
  }
  return counts;
}

test('short histories come to what the topic and the people said, through a crash now and then', async () => {
  const counts = await simulate(FIRST_SEED, HISTORIES, 3, { share: 0.015 });
  expect(counts.histories).toBe(HISTORIES);
  // One history in seven has such a save: of a few, what chance alone may do is allowed.
  expect(counts.recoveries).toBeGreaterThan(HISTORIES / 2 - 4);
  const saves = counts.meant + counts.aside + counts.wrong;
  // Tables of some six rows, users who have both loaded the file, and seconds between: as hard as it can be.
  expect(counts.aside + counts.wrong).toBeLessThanOrEqual(saves / 2 + Math.sqrt(saves));
  expect(counts.wrong).toBeLessThan((counts.meant + counts.aside) / 8 + 3);
}, 240_000);

test('some histories survive a crash before every call', async () => {
  const counts = await simulate(FIRST_SEED + 100_000, tries(12, 3), 2, { share: tries(1, 0.3) });
  expect(counts.crashPoints).toBeGreaterThan(tries(300, 5));
  expect(counts.crashesAgain).toBeGreaterThan(tries(50, 0));
}, 240_000);

test.each([
  ['two owners fall asleep over it', { owed: 3, atOnce: 1, sleepAt: [2, 3], loses: [], expires: true }],
  ['an answer is lost', { owed: 2, atOnce: 2, sleepAt: [], loses: [1], expires: false }],
])('money that is due at one instant is moved once, whatever crashes, though %s', async (_, debts) => {
  for (let folder = 0; folder < tries(4, 1); folder++) {
    const steps: History['steps'] = [{ kind: 'at_once', debts }];
    await explore(
      { seed: FIRST_SEED, folder, checkpointBytes: 1_500, steps },
      { share: tries(1, 0.15) },
      noCounts(),
    );
  }
});

/** Histories that once failed, made small. */
const FOUND: Record<string, History> = {
  'a merge of the index that ends while the folder is closed': {
    seed: 100_017,
    folder: 2,
    checkpointBytes: 1_500,
    steps: [{ kind: 'tick' }, { kind: 'break_file', file: 'users.csv', restart: true }],
  },
  'a file saved while a CSV was being replaced, put back without a sync of the folder': {
    seed: 20_069,
    folder: 3,
    checkpointBytes: 1_000_000,
    steps: [
      {
        kind: 'save_during_rewrite',
        save: {
          file: 'users.csv',
          back: 2,
          change: { kind: 'set', rows: [2], by: 2 },
          mode: 'replace',
        },
        call: 4,
      },
    ],
  },
  'a broken file that is mended by a text that was written after a save, and that the save was made from': {
    seed: 99_889_448,
    folder: 1,
    checkpointBytes: 1_000_000,
    steps: [
      {
        kind: 'save_during_rewrite',
        save: {
          file: 'inventory.csv',
          back: 1,
          change: { kind: 'set', rows: [0], by: -1 },
          mode: 'in_place',
        },
        call: 5,
      },
      { kind: 'tick' },
      { kind: 'break_file', file: 'inventory.csv', restart: false },
    ],
  },
};

test.each(Object.entries(FOUND))('%s', async (_, history) => {
  for (let round = 0; round < tries(4, 1); round++) {
    await explore({ ...history, seed: history.seed + round * 1_000 }, { share: tries(1, 0.15) }, noCounts());
  }
});

test.each([
  ['restored', false],
  ['consumed with an id and a group of its own', true],
])(
  'an older copy of the folder, %s, decides what it does not know, and goes on from its own positions',
  async (_, newId) => {
    const sold = { kind: 'batch', count: 3, stale: 0, sendFault: null } as const;
    const request = { kind: 'item.update', item: 'book', by: 7 } as const;
    const steps: History['steps'] = [
      { ...sold, partition: 0 },
      { kind: 'older_copy', partition: 1, count: 4, request, newId },
      { ...sold, partition: 1 },
      { kind: 'restart' },
    ];
    for (const folder of [1, 2, 3].slice(0, tries(3, 1))) {
      const history = { seed: FIRST_SEED + folder, folder, checkpointBytes: 1_500, steps };
      await explore(history, { share: tries(0.2, 0.1) }, noCounts());
    }
  },
);
