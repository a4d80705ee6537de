import { beforeEach, describe, expect, it } from 'vitest';
import { markOf, type ResetTo } from '../../src/app/offsets/plan.ts';
import { readingOf } from '../../src/app/offsets/reading.ts';
import { resetOffsets, type ResetOptions, type ResetResult } from '../../src/app/offsets/reset.ts';
import { showOffsets } from '../../src/app/offsets/show.ts';
import { isSkipped, readSkips } from '../../src/app/offsets/skips.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';

const MARK = markOf('model-folder');
const NAMES = new Map([['orders.cancelled', 'shop.cancelled']]);
const PAYMENT = readingOf('payment', { group: 'g', names: NAMES });
const [VALIDATED, REJECTED, CANCELLED] = ['orders.validated', 'inventory.rejected', 'shop.cancelled'];
let clock: FakeClock;
let folder: ModelFolder;
let broker: ScriptedBroker;

beforeEach(() => {
  clock = new FakeClock();
  folder = new ModelFolder(clock);
  broker = new ScriptedBroker();
  for (const topic of PAYMENT.topics) {
    broker.createTopic(topic, 1);
    for (let i = 0; i < 10; i++) broker.append(topic, 0, { value: new Uint8Array() });
  }
  stand('payment', VALIDATED, 6);
  stand('payment', REJECTED, 2);
  stand('payment', CANCELLED, 3);
  stand('notification', CANCELLED, 9);
});

function stand(processor: 'payment' | 'notification', topic: string, next: number): void {
  const position = { processor, topic, partition: 0, next, last: null, clusterId: 'cluster-1' } as const;
  folder.stored.set(`${processor} ${topic}/0`, position);
  broker.committedBy.set(`g.${processor} ${topic}/0`, { partition: 0, offset: next, metadata: MARK });
}

async function reset(
  to: ResetTo | 'undo',
  { topics = PAYMENT.topics, ...options }: Partial<ResetOptions> & { topics?: readonly string[] } = {},
): Promise<ResetResult> {
  clock.time += 1_000;
  const { processor, group } = PAYMENT;
  const request = { to: to as ResetTo, partitions: null };
  return resetOffsets(
    { access: folder, broker, clock },
    {
      processor,
      group,
      execute: true,
      on: () => undefined,
      reset: to === 'undo' ? { undo: topics } : new Map(topics.map((topic) => [topic, request])),
      ...options,
    },
  );
}

/** Another processor that reads one of these topics. */
async function resetOther(): Promise<void> {
  await resetOffsets(
    { access: folder, broker, clock },
    {
      processor: 'notification',
      group: 'g.notification',
      execute: true,
      on: () => undefined,
      reset: new Map([[CANCELLED, { to: 'latest', partitions: null }]]),
    },
  );
}

const positions = (processor = 'payment') =>
  PAYMENT.topics.map((topic) => folder.stored.get(`${processor} ${topic}/0`)?.next);
const committed = (group = 'g.payment') =>
  PAYMENT.topics.map((topic) => broker.committedBy.get(`${group} ${topic}/0`)?.offset);

describe('a processor', () => {
  it('is found by its name and by that of its group, with the names of its topics', () => {
    expect(PAYMENT).toEqual({
      processor: 'payment',
      group: 'g.payment',
      topics: [VALIDATED, REJECTED, CANCELLED],
    });
    const shop = { group: 'g', names: NAMES };
    expect(readingOf('g.payment', shop)).toEqual(PAYMENT);
    expect(readingOf('g', shop)).toMatchObject({ processor: 'orders', topics: ['orders'] });
    expect(() => readingOf('pay', shop)).toThrow('there is no processor "pay"');
  });

  it('shows how far it has read each of its topics', async () => {
    const view = await showOffsets({ access: folder, broker }, PAYMENT);
    expect(view).toMatchObject({ processor: 'payment', group: 'g.payment', topics: PAYMENT.topics });
    expect(view.partitions).toMatchObject([
      { topic: VALIDATED, partition: 0, stored: 6, committed: 6, lag: 4 },
      { topic: REJECTED, partition: 0, stored: 2, committed: 2, lag: 8 },
      { topic: CANCELLED, partition: 0, stored: 3, committed: 3, lag: 7 },
    ]);
  });

  it('says of a topic that is missing what makes it', async () => {
    folder.stored.clear();
    broker.topics.delete(REJECTED);
    await expect(showOffsets({ access: folder, broker }, PAYMENT)).rejects.toMatchObject({
      code: 'topic_missing',
      fix: { kind: 'apply_topics_of', processor: 'payment' },
    });
  });
});

describe('a reset of a processor', () => {
  it('moves all of its topics in one commit, with its group, and leaves other processors alone', async () => {
    const { seq } = folder;
    const result = await reset('earliest');
    expect(result.partitions).toMatchObject([
      { topic: VALIDATED, before: 6, after: 0, readAgain: 6 },
      { topic: REJECTED, before: 2, after: 0, readAgain: 2 },
      { topic: CANCELLED, before: 3, after: 0, readAgain: 3 },
    ]);
    expect(folder.seq).toBe(seq + 1);
    expect([positions(), committed()]).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    expect(positions('notification')).toEqual([undefined, undefined, 9]);
    expect(committed('g.notification')).toEqual([undefined, undefined, 9]);
    expect(folder.log).toMatchObject(
      PAYMENT.topics.map((topic) => ({ kind: 'position', processor: 'payment', topic, after: 0 })),
    );
    expect([...folder.kept.values()]).toEqual([`${VALIDATED},0,6\n${REJECTED},0,2\n${CANCELLED},0,3\n`]);
  });

  it('moves the one topic that is named', async () => {
    await reset('latest', { topics: [REJECTED] });
    expect(positions()).toEqual([6, 10, 3]);
  });

  it('is undone as a whole, and not by the reset of another processor since', async () => {
    await reset('earliest');
    await resetOther();
    await reset('undo');
    expect(positions()).toEqual([6, 2, 3]);
    expect(positions('notification')).toEqual([undefined, undefined, 10]);
  });

  it('skips what it alone has not read', async () => {
    await resetOther();
    await reset('latest');
    const [other, ...skips] = await readSkips(await folder.read());
    expect(other).toMatchObject({ processor: 'notification', topic: CANCELLED, from: 9, to: 10 });
    const at = (processor: 'payment' | 'notification') =>
      isSkipped(skips, { processor, topic: CANCELLED, partition: 0, offset: 5 });
    expect([at('payment'), at('notification')]).toEqual([true, false]);
    expect(skips).toMatchObject([
      { processor: 'payment', topic: REJECTED, from: 2, to: 10 },
      { processor: 'payment', topic: CANCELLED, from: 3, to: 10 },
      { processor: 'payment', topic: VALIDATED, from: 6, to: 10 },
    ]);
  });
});
