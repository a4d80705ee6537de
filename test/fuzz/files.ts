import { parseTable } from '../../src/adapters/files/csv/parse.ts';
import { FolderInspection } from '../../src/adapters/files/inspection.ts';
import { FolderReader } from '../../src/adapters/files/reader.ts';
import { INVENTORY, USERS } from '../../src/adapters/files/tables/columns.ts';
import { whatIf } from '../../src/app/what-if/what-if.ts';
import { isFailure } from '../../src/domain/failure.ts';
import type { FaultyFs } from '../support/faulty-fs.ts';
import { randomFrom } from '../support/random.ts';
import { begin } from '../simulate/folders.ts';
import { ManualClock } from '../simulate/manual-clock.ts';
import * as oracle from '../simulate/oracle.ts';
import type { Rows, TableFile, Truth } from '../simulate/oracle.ts';
import { callService } from '../simulate/parts.ts';
import { makeTopic } from '../simulate/topic.ts';
import { expectClosed, expectIndexed, expectReadable, matching } from '../simulate/verify.ts';
import { FOLDER, TABLE_FILES, World, type Moment } from '../simulate/world.ts';
import { EXIT_CODES } from '../../src/cli/exit.ts';

/*
 * The files of a small folder, damaged at one place: every byte flipped, every length cut. Opening it is refused,
 * naming a file of the folder and the way out, or the damage was in nothing that counts and the state is right. In a
 * CSV it may be a valid edit: then it counts as that. (A log that is longer than 64 KiB is compared near its end only:
 * `audit` finds what is changed before.)
 */

export interface FileCounts {
  files: number;
  refused: number;
  unneeded: number;
  edits: number;
  /** By the kind of file. */
  byName: Record<string, number>;
}

export function noFileCounts(): FileCounts {
  return { files: 0, refused: 0, unneeded: 0, edits: 0, byName: {} };
}

/** Folders of the simulation: one that was closed, one whose owner was killed. */
const CLOSED = 2;
const KILLED = 3;
/** History is read of one damaged folder among so many: it opens the folder three times more. */
const HISTORY_EACH = 20;

interface Damage {
  readonly name: string;
  /** Position that is flipped, or the length that is left. */
  readonly at: number;
  readonly cut: boolean;
}

/**
 * @param share of all damages to a file that are tried, from 0 to 1
 * @throws Error what was found, naming folder and damage
 */
export async function fuzzFiles(
  seed: number,
  share: (name: string) => number,
  counts: FileCounts,
): Promise<void> {
  const next = randomFrom(seed);
  for (const folder of [CLOSED, KILLED]) {
    const topic = makeTopic(0);
    const whole = await begin({ seed, folder, checkpointBytes: 1_000_000, steps: [] }, topic);
    const moment = await inUse(whole);
    for (const name of moment.files.names()) {
      const sizeBytes = moment.files.get(name)?.byteLength ?? 0;
      for (let at = 0; at < sizeBytes; at++) {
        for (const cut of [true, false]) {
          if (next() >= share(name)) continue;
          await damageOne(moment, { name, at, cut }, { next, counts, folder });
        }
      }
    }
  }
}

/** The folder with facts, movements, a small table, effects, and messages to be sent, of which the broker knows what they say. */
async function inUse(world: World): Promise<Moment> {
  const call = {
    thing: 'thing-a',
    item: 'pen',
    partition: 0,
    topics: ['alerts', 'sim-a'],
    asks: true,
  } as const;
  await world.open();
  await world.settle();
  await world.start();
  for (const topic of call.topics) world.broker.fallSilent(topic);
  await callService(world, { ...call, delta: 4 });
  await callService(world, { ...call, delta: -1 });
  const { truths } = world;
  const files = world.files.survived('kill');
  for (const topic of call.topics) world.broker.answerAgain(topic);
  await world.send();
  await world.close();
  return { ...world.moment(files), truths };
}

interface Context {
  readonly next: () => number;
  readonly counts: FileCounts;
  readonly folder: number;
}

async function damageOne(moment: Moment, damage: Damage, context: Context): Promise<void> {
  const { counts, next, folder } = context;
  const { name, at, cut } = damage;
  counts.files += 1;
  const kind = name.slice(FOLDER.length + 1).replace(/\d+$/, 'n');
  counts.byName[kind] = (counts.byName[kind] ?? 0) + 1;
  const files = moment.files.survived('kill');
  const bytes = Buffer.from(files.get(name) ?? '');
  bytes[at] = (bytes[at] ?? 0) ^ (next() < 0.5 ? 1 << Math.floor(next() * 8) : 1 + Math.floor(next() * 255));
  files.put(name, cut ? bytes.subarray(0, at) : bytes);
  try {
    const damaged = { ...moment, files, truths: truthsOf(moment, files, name) };
    // Readers go on with the last good values, and have to be right then.
    await refuses(() => expectReadable(damaged));
    if (counts.files % HISTORY_EACH === 0) await refuses(() => expectHistory(damaged));
    const refused = await refuses(() => openAndUse(damaged, next, name));
    if (refused) counts.refused += 1;
    else if (damaged.truths !== moment.truths) counts.edits += 1;
    else counts.unneeded += 1;
  } catch (error) {
    throw new Error(
      `folder ${folder}, ${name} ${cut ? 'cut to' : 'flipped at'} ${at} of ${bytes.byteLength}`,
      {
        cause: error,
      },
    );
  }
}

/** History is whole wherever it is read: decided again as it was it comes out as it did, and read on it is what it is at once. */
async function expectHistory({ files, time }: Moment): Promise<void> {
  const clock = new ManualClock(time);
  const read = (): Promise<FolderReader> => FolderReader.open(files, FOLDER, clock);
  const { items, orders, revenue } = await whatIf(
    { read },
    { stock: new Map(), prices: new Map(), statuses: new Map() },
    null,
  );
  if (items.length > 0 || orders.length > 0 || revenue.was !== revenue.wouldBe) {
    throw new Error(`what if nothing were different: ${JSON.stringify([items, orders])}`);
  }
  await using reader = await read();
  await using inspection = await FolderInspection.open(files, FOLDER, clock, async () => false);
  const lines = await count(reader.history([]));
  const [all, more] = [
    await count(inspection.historyFrom(null, [])),
    await count(inspection.historyFrom(inspection.place, [])),
  ];
  if (all !== lines || more !== 0) throw new Error(`${lines} lines of history, then ${all} and ${more}`);
}

async function count(chunks: AsyncIterable<readonly unknown[]>): Promise<number> {
  let lines = 0;
  for await (const chunk of chunks) lines += chunk.length;
  return lines;
}

/** A damage to a CSV may make a valid edit of it. */
function truthsOf(moment: Moment, files: FaultyFs, name: string): readonly Truth[] {
  const file = TABLE_FILES.find((table) => name === `${FOLDER}/${table}`);
  if (file === undefined) return moment.truths;
  const bytes = files.get(name) ?? Buffer.alloc(0);
  const found = rowsOf(file, bytes);
  if (found === undefined) return moment.truths;
  return moment.truths.flatMap((truth) => {
    const outcomes = oracle.afterSave(truth, file, bytes.toString(), moment.versions[file], null, found);
    // Where a crash was, a version may be known that was never seen.
    return [...outcomes.map(({ truth: outcome }) => outcome), truth];
  });
}

function rowsOf(file: TableFile, bytes: Buffer): Rows | undefined {
  try {
    if (file === 'users.csv') {
      return new Map([...parseTable(USERS, bytes, file).rows].map(([name, { status }]) => [name, status]));
    }
    return new Map(
      [...parseTable(INVENTORY, bytes, file).rows].map(([name, { quantity }]) => [name, quantity]),
    );
  } catch (error) {
    if (isFailure(error, 'corrupt_file')) return undefined;
    throw error;
  }
}

async function openAndUse(moment: Moment, next: () => number, name: string): Promise<void> {
  const history = { seed: 0, folder: 0, checkpointBytes: 1_000_000, steps: [] };
  const world = new World(history, makeTopic(0), moment);
  await world.open();
  try {
    world.truths = [await matching(world, world.truths)];
    await expectIndexed(world, next);
    await world.start();
  } finally {
    await world.close();
  }
  // Another column, or a quoted cell, is more than the simulation's own parser knows.
  if (!name.endsWith('.csv')) expectClosed(world);
}

/** @returns whether the folder was refused, with a way out */
async function refuses(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return false;
  } catch (error) {
    if (!isFailure(error)) throw error;
    const { code, fix, context, message } = error;
    const names = context.file?.startsWith(FOLDER) === true || message.includes(FOLDER);
    if (EXIT_CODES[code] === 6 && fix !== null && names) return true;
    throw error;
  }
}
