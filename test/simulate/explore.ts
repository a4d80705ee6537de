import { randomFrom } from '../support/random.ts';
import { begin } from './folders.ts';
import { expire, isOwed, payAll } from './owed.ts';
import { perform } from './perform.ts';
import type { History, Step } from './steps.ts';
import { makeTopic, type SimTopic } from './topic.ts';
import { expectClosed, expectIndexed, expectPaidOnce, expectReadable } from './verify.ts';
import { World, type Moment } from './world.ts';

/** What was done, for the report. */
export interface Counts {
  histories: number;
  /** Calls before which a crash was made. */
  crashPoints: number;
  /** Folders recovered, those after a second and third crash included. */
  recoveries: number;
  /** Crashes in a recovery or soon after it. */
  crashesAgain: number;
  /** Looks of a reader at what a crash left. */
  reads: number;
  /** Saves of what a user had loaded a while before: merged as it was meant, set aside, merged otherwise. */
  meant: number;
  aside: number;
  wrong: number;
}

export function noCounts(): Counts {
  return {
    histories: 0,
    crashPoints: 0,
    recoveries: 0,
    crashesAgain: 0,
    reads: 0,
    meant: 0,
    aside: 0,
    wrong: 0,
  };
}

export interface Exploration {
  /** The share of calls before which a crash is made; 1: all. */
  readonly share: number;
}

/** How often a recovery is interrupted, once more and a third time. */
const CRASH_AGAIN = 0.3;
const DEEPEST = 3;
/** Among the first calls after a crash: recovery is most of them. */
const CALLS_OF_RECOVERY = 30;
/** How often a reader looks first, and how often the recovered folder is used on: to its end, or for a clean close. */
const READ_FIRST = 0.2;
const GO_TO_THE_END = 0.05;
const GO_ON = 0.2;
/** How often the gateway has forgotten its keys when one goes on after a crash. */
const EXPIRES = 0.5;
/** How what is owed is paid then. */
const LATER = { atOnce: 2, sleepAt: [], loses: [], expires: false };

/**
 * Runs a history to its end. A crash is made before calls of it, by `kill -9` and by power; what each leaves is
 * recovered, compared with the truth, and goes on.
 *
 * @throws Error what was found, naming call and kind of crash
 */
export async function explore(history: History, exploration: Exploration, counts: Counts): Promise<void> {
  const topic = makeTopic(history.seed);
  const next = randomFrom(history.seed ^ 0x5eed);
  const moments: { moment: Moment; call: string }[] = [];
  const world = await begin(history, topic);
  await world.open();
  await world.settle();
  await world.start();
  // Opening a prepared folder is the same each time: that histories restart shows what it is worth.
  world.onCall = (point) => {
    if (next() >= exploration.share) return;
    moments.push({ moment: world.moment(point.image()), call: `${point.number}: ${point.what}` });
  };
  await runSteps(world, history.steps);
  await world.close();
  expectClosed(world);
  world.onCall = undefined;
  await toTheEnd(world);
  counts.histories += 1;
  for (const outcome of ['meant', 'aside', 'wrong'] as const) counts[outcome] += world.saves[outcome];
  for (const { moment, call } of moments) {
    counts.crashPoints += 1;
    const how = next() < 0.3 ? 'kill' : 'power';
    try {
      await crash(history, topic, moment, { how, next, depth: 1, counts });
    } catch (error) {
      throw new Error(`${how} before call ${call}, in step ${moment.step}`, { cause: error });
    }
  }
}

async function runSteps(world: World, steps: readonly Step[]): Promise<void> {
  for (const [index, step] of steps.entries()) {
    if (index < world.step) continue;
    world.step = index;
    await perform(world, step);
    await world.settle();
  }
  world.step = steps.length;
}

/** The rest of the topic, and all of it again: every record ends in its one place. */
async function toTheEnd(world: World): Promise<void> {
  await world.open();
  await world.start();
  await world.readAll();
  await payAll(world, LATER);
  await expectIndexed(world, () => 0);
  await world.close();
  expectClosed(world);
  await expectReadable(world.moment(world.files));
}

interface CrashOptions {
  readonly how: 'kill' | 'power';
  readonly next: () => number;
  readonly depth: number;
  readonly counts: Counts;
}

async function crash(
  history: History,
  topic: SimTopic,
  moment: Moment,
  options: CrashOptions,
): Promise<void> {
  const { how, next, depth, counts } = options;
  const files = moment.files.survived(how);
  counts.recoveries += 1;
  if (next() < READ_FIRST) {
    counts.reads += 1;
    await expectReadable({ ...moment, files });
  }
  const world = new World(history, topic, { ...moment, files });
  const again = depth < DEEPEST && next() < CRASH_AGAIN ? 1 + Math.floor(next() * CALLS_OF_RECOVERY) : 0;
  let second: Moment | undefined;
  files.arm(undefined);
  world.onCall = (point) => {
    if (point.number === again) second = world.moment(point.image());
  };
  await world.recover();
  await expectIndexed(world, next);
  expectPaidOnce(world);
  const further = next();
  // The step in hand was interrupted: what it had done is in the truth.
  world.step += 1;
  if (further < GO_ON || isOwed(world.truth)) {
    await world.start();
    if (next() < EXPIRES) expire(world);
    await payAll(world, LATER);
    if (further < GO_TO_THE_END) await runSteps(world, history.steps);
    await world.close();
    expectClosed(world);
    if (further < GO_TO_THE_END) await toTheEnd(world);
  }
  if (second === undefined) return;
  counts.crashesAgain += 1;
  try {
    const then = next() < 0.3 ? 'kill' : 'power';
    await crash(history, topic, second, { ...options, how: then, depth: depth + 1 });
  } catch (error) {
    throw new Error(`crashed again before call ${again}`, { cause: error });
  }
}
