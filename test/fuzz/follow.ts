import { FollowedFolder } from '../../src/adapters/files/kept/followed-folder.ts';
import { FolderReader } from '../../src/adapters/files/reader.ts';
import { isFailure } from '../../src/domain/failure.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { HistoryLine } from '../../src/ports/store.ts';
import { begin } from '../simulate/folders.ts';
import { HAPPENED } from '../simulate/parts.ts';
import { perform } from '../simulate/perform.ts';
import { makeHistory, type Step } from '../simulate/steps.ts';
import { makeTopic } from '../simulate/topic.ts';
import { findable, foundBy } from '../simulate/verify.ts';
import { FOLDER } from '../simulate/world.ts';
import type { FaultyFs } from '../support/faulty-fs.ts';
import { randomFrom } from '../support/random.ts';

/*
 * Who follows a folder from a moment of a history on finds, further on in it, a journal of which the end is damaged: cut,
 * flipped, overwritten, or with another end behind it; and at last the folder as it is. It has what was committed, up to
 * some commit, or says that this is not the folder that it followed. Once nothing is damaged any more it has all, or has
 * said so.
 */

export interface FollowCounts {
  followed: number;
  /** All was read in spite of the damage, once it was gone. */
  whole: number;
  /** It was noticed. */
  refused: number;
  byDamage: Record<string, number>;
}

export function noFollowCounts(): FollowCounts {
  return { followed: 0, whole: 0, refused: 0, byDamage: {} };
}

const STEPS = 6;
/** How often the file system is asked at most: more is a circle. */
const MOST_CALLS = 20_000;
/** Of the moments of a history, and how often it is followed from one of them, where a journal has grown since. */
const MOMENTS_SHARE = 0.1;
const TRIES_EACH = 80;

/** What happened to a folder, with nobody else's folder in its place meanwhile. */
interface Past {
  /** Images of it; the last one is at rest. */
  readonly images: readonly FaultyFs[];
  /** All that could be found in it at some time. */
  readonly states: ReadonlySet<string>;
  /** Its history, line by line. */
  readonly lines: readonly Line[];
  readonly time: number;
}

interface Line {
  readonly seq: number | null;
  readonly text: string;
}

/** @throws Error what was found, naming seed and damage */
export async function fuzzFollow(seed: number, count: number, counts: FollowCounts): Promise<void> {
  for (let number = seed; counts.followed < count; number++) {
    const next = randomFrom(number);
    const past = await makePast(number, next);
    for (let tries = 0; tries < TRIES_EACH && counts.followed < count; tries++) {
      await followOne(past, number, next, counts);
    }
  }
}

async function makePast(seed: number, next: () => number): Promise<Past> {
  const { steps, ...made } = makeHistory(seed, STEPS);
  const topic = makeTopic(seed);
  const world = await begin({ ...made, steps }, topic);
  await world.open();
  await world.settle();
  await world.start();
  const images: FaultyFs[] = [];
  const states = new Set<string>();
  world.onCall = (point) => {
    for (const truth of world.truths) states.add(findable(truth));
    if (next() < MOMENTS_SHARE) images.push(point.image());
  };
  for (const step of steps) {
    if (!isOfThisFolder(step)) continue;
    await perform(world, step);
    await world.settle();
  }
  await world.close();
  images.push(world.files.survived('kill'));
  states.add(findable(world.truth));
  await using reader = await FolderReader.open(world.files, FOLDER, world.clock);
  const lines = await linesOf(reader.history([HAPPENED]));
  return { images, states, lines, time: world.clock.time };
}

/** An older copy in its place is another folder. */
function isOfThisFolder({ kind }: Step): boolean {
  return kind !== 'older_copy';
}

async function linesOf(history: AsyncIterable<readonly HistoryLine[]>): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const chunk of history) lines.push(...chunk.map(toLine));
  return lines;
}

function toLine(line: HistoryLine): Line {
  return { seq: line.seq, text: JSON.stringify(line) };
}

/** Follows from one image, over another one perhaps, to a damaged one and to the last. */
async function followOne(past: Past, seed: number, next: () => number, counts: FollowCounts): Promise<void> {
  const below = (bound: number): number => Math.floor(next() * bound);
  const at = below(past.images.length);
  const from = imageAt(past, at);
  const between = at + below(past.images.length - at);
  const to = between + below(past.images.length - between);
  const read = next() < 0.5 ? [] : [imageAt(past, between)];
  // Not what was read already: nobody looks at that again.
  const { damaged, what } = damage(read[0] ?? from, imageAt(past, to), next);
  if (what === null) return;
  const stages = [...read, damaged, imageAt(past, past.images.length - 1)];
  counts.followed += 1;
  counts.byDamage[what] = (counts.byDamage[what] ?? 0) + 1;
  const [follow, withRows] = [next() < 0.5 ? followLines : followState, next() < 0.5];
  try {
    const isWhole = await follow(past, from, stages, withRows);
    if (from.openFiles !== 0) throw new Error(`${from.openFiles} files were left open`);
    if (isWhole) counts.whole += 1;
    else counts.refused += 1;
  } catch (error) {
    throw new Error(`${follow.name}, seed ${seed}, from image ${at} over ${between} to ${to}: ${what}`, {
      cause: error,
    });
  }
}

function imageAt({ images }: Past, at: number): FaultyFs {
  const image = images[at];
  if (image === undefined) throw new RangeError(`there is no image ${at}`);
  return image.survived('kill');
}

/** Damages what a journal has in `to` and not yet in `from`. @returns what: null, no journal has more */
function damage(
  from: FaultyFs,
  to: FaultyFs,
  next: () => number,
): { damaged: FaultyFs; what: string | null } {
  const grown = to.names().flatMap((name) => {
    if (!/\/journal\.\d+$/.test(name)) return [];
    const isSame = from.stat(name)?.inode === to.stat(name)?.inode;
    const keptBytes = isSame ? (from.get(name)?.byteLength ?? 0) : 0;
    return (to.get(name)?.byteLength ?? 0) > keptBytes ? [{ name, keptBytes }] : [];
  });
  const chosen = grown[Math.floor(next() * grown.length)];
  if (chosen === undefined) return { damaged: to, what: null };
  const { name, keptBytes } = chosen;
  const bytes = to.get(name) ?? Buffer.alloc(0);
  const [kept, end] = [bytes.subarray(0, keptBytes), bytes.subarray(keptBytes)];
  const kinds = Object.entries(DAMAGES);
  const [what, damagedEnd] = kinds[Math.floor(next() * kinds.length)] ?? ['none', (same: Buffer) => same];
  to.putInPlace(name)?.(Buffer.concat([kept, damagedEnd(end, next)]));
  return { damaged: to, what };
}

const below = (bound: number, next: () => number): number => Math.floor(next() * bound);
const cutAt = (end: Buffer, next: () => number): Buffer => end.subarray(0, below(end.byteLength, next));
const noise = (next: () => number): Buffer =>
  Buffer.from(Array.from({ length: 1 + below(300, next) }, () => below(256, next)));

/** By name: what becomes of the end of a journal. */
const DAMAGES: Readonly<Record<string, (end: Buffer, next: () => number) => Buffer>> = {
  cut: cutAt,
  flipped: (end, next) => {
    const flipped = Buffer.from(end);
    for (let bits = 1 + below(3, next); bits > 0; bits--) {
      const at = below(flipped.byteLength, next);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << below(8, next));
    }
    return flipped;
  },
  overwritten: (end, next) => {
    const start = cutAt(end, next);
    const over = next() < 0.3 ? Buffer.alloc(1 + below(300, next)) : noise(next);
    return Buffer.concat([start, over, end.subarray(start.byteLength + over.byteLength)]);
  },
  'with more behind it': (end, next) => Buffer.concat([end, noise(next)]),
  'there twice': (end) => Buffer.concat([end, end]),
  'cut and there again': (end, next) => Buffer.concat([cutAt(end, next), end]),
  'without its beginning': (end, next) => end.subarray(1 + below(end.byteLength, next)),
};

/** @returns whether all came; false: it ended before, and said so */
async function followLines(past: Past, from: FaultyFs, stages: readonly FaultyFs[]): Promise<boolean> {
  const clock = new LookingClock(past.time);
  const stop = new AbortController();
  const files = bounded(from);
  const reader = await FolderReader.open(files, FOLDER, clock);
  const before = await linesOf(reader.history([HAPPENED]));
  const later = reader.follow([HAPPENED], stop.signal);
  await reader[Symbol.asyncDispose]();
  const found = [...before];
  clock.holds = true;
  const ended = (async (): Promise<unknown> => {
    for await (const chunk of later) {
      found.push(...chunk.map(toLine));
      if (found.length > past.lines.length) throw new Error('there are more lines than were committed');
    }
    return null;
  })().catch((error: unknown) => error);
  let failure: unknown = await Promise.race([clock.rest(), ended]);
  for (const stage of stages) {
    if (failure !== undefined) break;
    files.goOnAs(stage);
    clock.look();
    failure = await Promise.race([clock.rest(), ended]);
    expectBeginning(past.lines, found);
  }
  stop.abort();
  clock.look();
  await ended;
  if (failure !== undefined) return expectNoticed(failure);
  if (found.length !== past.lines.length)
    throw new Error(`it waits after ${found.length} of ${past.lines.length} lines`);
  return true;
}

/** Whole commits, from the first on. */
function expectBeginning(lines: readonly Line[], found: readonly Line[]): void {
  const wrong = found.findIndex(({ text }, at) => text !== lines[at]?.text);
  if (wrong !== -1)
    throw new Error(`line ${wrong} is ${found[wrong]?.text ?? ''}, not ${lines[wrong]?.text ?? 'there'}`);
  const [last, following] = [found.at(-1), lines[found.length]];
  if (last !== undefined && last.seq === following?.seq)
    throw new Error(`half of commit ${String(last.seq)} came`);
}

/** As `followLines`, of the view that is kept of a folder: its tables go with its lines. */
async function followState(
  past: Past,
  from: FaultyFs,
  stages: readonly FaultyFs[],
  withRows: boolean,
): Promise<boolean> {
  const files = bounded(from);
  const followed = await FollowedFolder.open(files, FOLDER, new LookingClock(past.time));
  try {
    // With hand edits that were not taken in yet it may be what the folder never was.
    const isEdited = followed.books() === null;
    for (const stage of stages) {
      files.goOnAs(stage);
      if (!followed.advance(withRows)) return false;
      const found = isEdited ? null : await foundBy(followed);
      if (found !== null && !past.states.has(found))
        throw new Error(`the folder was never like this: ${found}`);
    }
    const found = await linesOf(followed.history([HAPPENED]));
    expectBeginning(past.lines, found);
    if (found.length !== past.lines.length)
      throw new Error(`it is at ${found.length} of ${past.lines.length} lines`);
    return true;
  } catch (error) {
    return expectNoticed(error);
  } finally {
    followed.close();
  }
}

/** @returns false */
function expectNoticed(error: unknown): boolean {
  if (!isFailure(error, 'changed_since', 'corrupt_state')) throw error;
  if (error.fix === null || !error.message.includes(FOLDER)) throw error;
  return false;
}

/** Who goes round in circles asks for ever. */
function bounded(files: FaultyFs): FaultyFs {
  let calls = 0;
  const counted = <A extends unknown[], R>(call: (...args: A) => R): ((...args: A) => R) => {
    return (...args) => {
      if (++calls > MOST_CALLS) throw new Error('it goes round in circles');
      return call(...args);
    };
  };
  return Object.assign(files, {
    stat: counted(files.stat.bind(files)),
    statOpen: counted(files.statOpen.bind(files)),
    read: counted(files.read.bind(files)),
  });
}

/** Who sleeps has found nothing more, and looks again when the test says. */
class LookingClock implements Clock {
  holds = false;
  readonly #time: number;
  #wake = (): void => undefined;
  #rested = (): void => undefined;
  #resting: Promise<void>;

  constructor(time: number) {
    this.#time = time;
    this.#resting = new Promise((resolve) => (this.#rested = resolve));
  }

  now(): number {
    return this.#time;
  }

  elapsed(): number {
    return this.#time;
  }

  async sleep(): Promise<void> {
    if (!this.holds) return;
    const woken = new Promise<void>((resolve) => (this.#wake = resolve));
    this.#rested();
    await woken;
  }

  /** Resolves when nothing more is found. */
  rest(): Promise<undefined> {
    return this.#resting.then(() => undefined);
  }

  look(): void {
    this.#resting = new Promise((resolve) => (this.#rested = resolve));
    this.#wake();
  }
}
