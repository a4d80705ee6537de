import { clampLines } from '../../src/cli/output/positions/moved.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { markOf, type ResetTo } from '../../src/app/offsets/plan.ts';
import {
  resetOffsets,
  type ResetEvent,
  type ResetOptions,
  type ResetResult,
} from '../../src/app/offsets/reset.ts';
import { storeStarts } from '../../src/app/offsets/group-positions.ts';
import { showOffsets } from '../../src/app/offsets/show.ts';
import { Failure } from '../../src/domain/failure.ts';
import { isSkipped, readCourses, readSkips } from '../../src/app/offsets/skips.ts';
import type { StoreAccess } from '../../src/ports/access.ts';
import type { RefusedPosition } from '../../src/ports/record.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';

const MARK = markOf('model-folder');
const READING = { processor: 'orders', group: 'g', topics: ['orders'] } as const;
let clock: FakeClock;
let folder: ModelFolder;
let broker: ScriptedBroker;
let events: ResetEvent[];

beforeEach(async () => {
  clock = new FakeClock();
  folder = new ModelFolder(clock);
  broker = new ScriptedBroker();
  events = [];
  broker.createTopic('orders', 2);
  for (let i = 0; i < 10; i++) broker.append('orders', 0, { value: new Uint8Array() });
  for (let i = 0; i < 4; i++) broker.append('orders', 1, { value: new Uint8Array() });
  stand(0, 6);
  stand(1, 4);
});

/** Position and group stand there, as after a commit. */
function stand(partition: number, next: number): void {
  const last = { offset: next - 1, timestamp: 1, crc: 2 };
  folder.stored.set(`orders orders/${partition}`, {
    processor: 'orders',
    topic: 'orders',
    partition,
    next,
    last,
    clusterId: 'cluster-1',
  });
  broker.committedBy.set(String(partition), { partition, offset: next, metadata: MARK });
}

/** A consumer reads on as soon as the topic was asked for its end. */
async function readOnAfterRanges(): Promise<void> {
  const admin = await broker.admin();
  broker.admin = async () => ({
    ...admin,
    ranges: async (topic) => {
      const ranges = await admin.ranges(topic);
      broker.append('orders', 1, { value: new Uint8Array() });
      stand(1, 5);
      return ranges;
    },
  });
}

async function reset(
  to: ResetTo | 'undo',
  options: Partial<ResetOptions> & { partitions?: number[] } = {},
): Promise<ResetResult> {
  clock.time += 1_000;
  return resetOffsets(
    { access: folder, broker, clock },
    {
      processor: 'orders',
      group: 'g',
      reset:
        to === 'undo'
          ? { undo: ['orders'] }
          : new Map([['orders', { to, partitions: options.partitions ?? null }]]),
      execute: true,
      on: (event) => events.push(event),
      ...options,
    },
  );
}

const now = () => ({
  stored: [0, 1].map((partition) => folder.stored.get(`orders orders/${partition}`)?.next),
  committed: [0, 1].map((partition) => broker.committedBy.get(String(partition))),
});
const standing = (...next: number[]) => ({
  stored: next,
  committed: next.map((offset, partition) => ({ partition, offset, metadata: MARK })),
});

describe('reset', () => {
  it('says what it would come to, and changes nothing', async () => {
    const result = await reset('earliest', { execute: false });
    expect(result).toMatchObject({ executed: false, undoFile: null });
    expect(result.partitions).toMatchObject([
      { partition: 0, before: 6, after: 0, start: 0, end: 10, readAgain: 6, skipped: 0 },
      { partition: 1, before: 4, after: 0, start: 0, end: 4, readAgain: 4, skipped: 0 },
    ]);
    expect(now()).toEqual(standing(6, 4));
    expect([folder.log, folder.kept.size]).toEqual([[], 0]);
  });

  it('moves positions and group together, after it has kept where they stood', async () => {
    const result = await reset({ offset: 2 });
    expect(now()).toEqual(standing(2, 2));
    expect(folder.stored.get('orders orders/0')).toMatchObject({ last: null, clusterId: 'cluster-1' });
    expect(folder.log).toMatchObject([
      { kind: 'position', topic: 'orders', partition: 0, before: 6, after: 2, cause: 'reset' },
      { kind: 'position', topic: 'orders', partition: 1, before: 4, after: 2, cause: 'reset' },
    ]);
    const name = 'undo-2026-01-02T030406.006Z.csv';
    expect(result.undoFile).toBe(`model/${name}`);
    expect([...folder.kept]).toEqual([[name, 'orders,0,6\norders,1,4\n']]);
    expect(folder.owned).toBe(false);
  });

  it('says how many records were deleted before they were read', async () => {
    broker.topics.get('orders')?.[0]?.splice(0, 8);
    const lost = await reset('earliest', { execute: false });
    expect(lost.partitions[0]).toMatchObject({ before: 6, after: 8, skipped: 0, deleted: 2 });
    const texts = lost.partitions.flatMap((move) => clampLines('orders', move)).map(({ text }) => text);
    expect(texts).toContain('orders/0: 2 records from 6 on were deleted before being read, and are lost');
    expect(lost.partitions[1]?.deleted).toBe(0);
  });

  it('does not count those that were read before the position was moved back', async () => {
    await reset({ offset: 2 });
    broker.topics.get('orders')?.[0]?.splice(0, 8);
    const { partitions } = await reset('earliest', { execute: false });
    expect(partitions[0]).toMatchObject({ before: 2, after: 8, deleted: 2 });
  });

  it('moves nothing when where they stood cannot be kept', async () => {
    folder.failing = new Failure('write_failed', 'disk full');
    await expect(reset('earliest')).rejects.toMatchObject({ code: 'write_failed' });
    expect(now()).toEqual(standing(6, 4));
  });

  it('moves nothing when only where they stood cannot be kept', async () => {
    const own = folder.own.bind(folder);
    folder.own = async (options) => {
      const store = await own(options);
      store.keepFile = () => Promise.reject(new Failure('write_failed', 'disk full'));
      return store;
    };
    await expect(reset('earliest')).rejects.toMatchObject({ code: 'write_failed' });
    expect([now(), folder.log]).toEqual([standing(6, 4), []]);
  });

  it('brings the group up also where the position stays', async () => {
    broker.committedBy.delete('1');
    expect(await reset('latest', { partitions: [1] })).toMatchObject({ executed: true, undoFile: null });
    expect(now()).toEqual(standing(6, 4));
    expect(folder.log).toEqual([]);
  });

  it('is refused while the group has members, of which a ghost of this folder is none', async () => {
    const member = (clientId: string) => ({
      memberId: `m-${clientId}`,
      clientId,
      host: 'h',
      process: 'machine/7/7',
      sessionTimeoutMs: 6_000,
    });
    folder.living.set('machine/7/7', 'dead');
    broker.members = [member('other'), member(MARK)];
    await expect(reset('earliest')).rejects.toMatchObject({ code: 'group_in_use' });
    expect([now(), broker.removed]).toEqual([standing(6, 4), []]);
    // A dry run says so.
    await reset('earliest', { execute: false });
    expect(events).toEqual([{ kind: 'in_use', by: 'member other (h) of group g' }]);

    broker.members = [member(MARK)];
    await reset('earliest');
    expect(events.at(-1)).toEqual({ kind: 'ghost_removed', group: 'g', memberId: `m-${MARK}` });
    expect(now()).toEqual(standing(0, 0));
  });

  it('is refused while another owns the folder, which a dry run says', async () => {
    const status = () => ({ state: 'consuming' }) as never;
    await using consumer = await folder.own({
      purpose: 'consume',
      via: 'consume',
      onNotice: () => undefined,
      status,
    });
    await expect(reset('earliest')).rejects.toMatchObject({ code: 'folder_in_use' });
    await reset('earliest', { execute: false });
    expect(events).toEqual([{ kind: 'in_use', by: 'the consumer of this folder (process 1)' }]);
    expect(consumer.unsent().size).toBe(0);
  });

  it('is planned by a user who may not ask the owner, and says so', async () => {
    const failure = new Failure('read_failed', 'permission denied');
    folder.hidden = failure;
    await reset('earliest', { execute: false });
    expect(events).toEqual([{ kind: 'owner_unknown', failure }]);
  });

  it('says that the positions moved when the group could not follow; again brings it up', async () => {
    const failing = new ScriptedBroker();
    Object.assign(failing, { topics: broker.topics, committedBy: broker.committedBy });
    const admin = await failing.admin();
    failing.admin = async () => ({
      ...admin,
      commit: () => Promise.reject(new Failure('broker_unreachable', 'no broker answers')),
    });
    const good = broker;
    broker = failing;
    await expect(reset({ offset: 1 })).rejects.toMatchObject({
      code: 'broker_unreachable',
      message: expect.stringContaining('the stored positions were reset, but not') as unknown,
    });
    broker = good;
    expect(now()).toMatchObject({ stored: [1, 1], committed: [{ offset: 6 }, { offset: 4 }] });
    await reset({ offset: 1 });
    expect(now()).toEqual(standing(1, 1));
  });
});

describe('of a topic that was created again', () => {
  const places = [0, 1].map((partition) => ({ processor: 'orders', topic: 'orders', partition }) as const);
  const skips = async () =>
    (await readSkips(await folder.read())).map(({ partition, from, to, isGone }) => ({
      partition,
      from,
      to,
      isGone,
    }));

  /** Three records in partition 0, and as many as before in partition 1, which had 4. */
  function recreate(clusterId: string): void {
    Object.assign(broker, { clusterId });
    broker.createTopic('orders', 2);
    for (let i = 0; i < 3; i++) broker.append('orders', 0, { value: new Uint8Array() });
    for (let i = 0; i < 4; i++) broker.append('orders', 1, { value: new Uint8Array() });
  }

  it.each<ResetTo>(['latest', 'current', { offset: 9 }])(
    'a reset to %j skips what was never read of it, in the plan and in the log',
    async (to) => {
      recreate('cluster-2');
      const expected = [
        { before: 6, after: 3, readAgain: 0, skipped: 3, recreated: true },
        { before: 4, after: 4, readAgain: 0, skipped: 4, recreated: true },
      ];
      expect((await reset(to, { execute: false })).partitions).toMatchObject(expected);
      expect((await reset(to)).partitions).toMatchObject(expected);
      expect(await skips()).toEqual([
        { partition: 0, from: 0, to: 3, isGone: false },
        { partition: 1, from: 0, to: 4, isGone: false },
      ]);
      expect([...folder.kept.values()]).toEqual(['orders,0,0\norders,1,0\n']);
      // Where it came from is not in the topic: undoing reads all of it.
      expect((await reset('undo')).partitions).toMatchObject([{ after: 0 }, { after: 0 }]);
    },
  );

  it('an undo of a reset from before skips what was never read of it', async () => {
    await reset('earliest');
    recreate('cluster-2');
    expect((await reset('undo')).partitions).toMatchObject([{ skipped: 3 }, { skipped: 4 }]);
    expect(await skips()).toMatchObject([{ to: 3 }, { to: 4 }]);
  });

  it('counts what was read of it from then on, and nothing from before', async () => {
    await reset('latest');
    recreate('cluster-2');
    expect((await reset('earliest')).partitions).toMatchObject([
      { after: 0, readAgain: 0, skipped: 0 },
      { after: 0, readAgain: 0, skipped: 0 },
    ]);
    Object.assign(folder.stored.get('orders orders/0') ?? {}, { next: 2 });
    expect((await reset('latest')).partitions).toMatchObject([{ skipped: 1 }, { skipped: 4 }]);
    const before = { partition: 0, from: 6, to: 10, isGone: true };
    expect(await skips()).toEqual([
      before,
      { partition: 0, from: 2, to: 3, isGone: false },
      { partition: 1, from: 0, to: 4, isGone: false },
    ]);
    const courses = await readCourses(await folder.read());
    expect(places.map((place) => courses.furthest(place))).toEqual([10, 4]);
    const found = await readSkips(await folder.read());
    expect(isSkipped(found, { processor: 'orders', topic: 'orders', partition: 0, offset: 7 })).toBe(false);
  });

  it.each<[RefusedPosition['reason'], boolean]>([
    ['past_end', true],
    ['other_record', true],
    ['before_start', false],
    ['no_partition', false],
    ['unreadable', false],
  ])('is noticed on the same cluster: %s is one, %s', async (reason, recreated) => {
    const admin = await broker.admin();
    const failure = new Failure('topic_changed', 'refused');
    broker.admin = async () => ({
      ...admin,
      refusedPositions: async () => new Map([[0, { reason, failure }]]),
    });
    recreate('cluster-1');
    expect((await reset('latest', { execute: false })).partitions).toMatchObject([
      { recreated },
      { recreated: false },
    ]);
  });

  it('is not taken for one beside a consumer that reads on during a dry run', async () => {
    await readOnAfterRanges();
    expect((await reset('latest', { execute: false })).partitions[1]).toMatchObject({ recreated: false });
  });
});

describe('undo', () => {
  it('goes back to where the last reset came from, and back again', async () => {
    await reset('earliest');
    await reset({ offset: 3 }, { partitions: [0] });
    expect(now()).toEqual(standing(3, 0));
    expect((await reset('undo', { execute: false })).partitions).toMatchObject([{ partition: 0, after: 0 }]);
    await reset('undo');
    expect(now()).toEqual(standing(0, 0));
    await reset('undo');
    expect(now()).toEqual(standing(3, 0));
  });

  it('skips only what was never read', async () => {
    await reset('earliest');
    expect((await reset('undo', { execute: false })).partitions).toMatchObject([
      { partition: 0, before: 0, after: 6, skipped: 0 },
      { partition: 1, before: 0, after: 4, skipped: 0 },
    ]);
    // Read were 0 to 5 of partition 0, and 6 to 9 never.
    expect((await reset('latest')).partitions).toMatchObject([
      { partition: 0, before: 0, after: 10, skipped: 4 },
      { partition: 1, before: 0, after: 4, skipped: 0 },
    ]);
    await reset('earliest');
    expect((await reset('latest')).partitions).toMatchObject([
      { partition: 0, skipped: 4 },
      { partition: 1, skipped: 0 },
    ]);
  });

  it('is not distracted by a reset that led nowhere, by reading on, or by another topic', async () => {
    await reset('earliest');
    await reset('earliest');
    stand(0, 9);
    folder.log.push({
      kind: 'position',
      processor: 'orders',
      topic: 'other',
      partition: 0,
      before: 1,
      after: 2,
      cause: 'reset',
      at: clock.now() + 5,
      by: 'model',
      via: 'command',
    });
    await reset('undo');
    expect(now()).toEqual(standing(6, 4));
  });

  it('goes to the earliest offset where there was no position', async () => {
    folder.stored.clear();
    broker.committedBy.clear();
    await reset('latest');
    expect([...folder.kept.values()]).toEqual(['orders,0,0\norders,1,0\n']);
    await reset('undo');
    expect(now()).toEqual(standing(0, 0));
  });

  it('has nothing to undo at first', async () => {
    await expect(reset('undo')).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('show', () => {
  const show = () => showOffsets({ access: folder, broker }, READING);

  it('tells where folder and group stand', async () => {
    broker.committedBy.set('0', { partition: 0, offset: 5, metadata: MARK });
    expect(await show()).toEqual({
      ...READING,
      groupState: 'Empty',
      partitions: [
        { topic: 'orders', partition: 0, start: 0, committed: 5, stored: 6, end: 10, lag: 4, current: 6 },
        { topic: 'orders', partition: 1, start: 0, committed: 4, stored: 4, end: 4, lag: 0, current: 4 },
      ],
      ahead: new Map(),
    });
  });

  it('counts the lag from the stored position, also when the topic has deleted it', async () => {
    broker.topics.get('orders')?.[0]?.splice(0, 8);
    const { partitions } = await show();
    expect(partitions[0]).toMatchObject({ start: 8, stored: 6, end: 10, lag: 4 });
  });

  it('says where the group stands beyond the folder by the mark of the folder', async () => {
    const entry = (partition: number, offset: number, metadata = MARK): void =>
      void broker.committedBy.set(String(partition), { partition, offset, metadata });
    entry(0, 9);
    expect((await show()).ahead.get('orders')).toEqual([{ partition: 0, committed: 9, stored: 6 }]);
    // Moved by another tool, another folder's, and behind.
    for (const [offset, mark] of [
      [9, ''],
      [9, 'orderctl:x'],
      [5, MARK],
    ] as const) {
      entry(0, offset, mark);
      expect((await show()).ahead.size).toBe(0);
    }
    folder.stored.clear();
    entry(0, 3);
    expect((await show()).ahead.get('orders')).toMatchObject([
      { partition: 0, stored: 0 },
      { partition: 1, stored: 0 },
    ]);
  });

  it('looks at the folder after the group, which a consumer at work brings up behind it', async () => {
    const admin = await broker.admin();
    broker.admin = async () => ({
      ...admin,
      committed: async (group, topic) => {
        const committed = await admin.committed(group, topic);
        stand(0, 7);
        return committed;
      },
    });
    expect(await show()).toMatchObject({ ahead: new Map(), partitions: [{ committed: 6, stored: 7 }, {}] });
  });

  it('asks for the end after the stored position, which a consumer at work moves on', async () => {
    await readOnAfterRanges();
    expect((await show()).partitions[1]).toMatchObject({ stored: 4, end: 4 });
  });

  it('counts the lag from where reading would begin when nothing is stored', async () => {
    folder.stored.clear();
    broker.committedBy.clear();
    broker.committedBy.set('0', { partition: 0, offset: 7, metadata: '' });
    broker.committedBy.set('1', { partition: 1, offset: null, metadata: '' });
    expect((await show()).partitions).toMatchObject([
      { committed: 7, stored: null, lag: 3, current: 7 },
      { committed: null, stored: null, lag: 4, current: 0 },
    ]);
  });
});

it('beside a broken CSV a dry run is refused, as --execute is', async () => {
  const broken = {
    ...({ kind: 'file_broken', file: 'inventory.csv', line: 2 } as const),
    message: 'inventory.csv:2: quantity of book is "many"',
    fix: 'give a whole number',
  };
  const view = folder.read.bind(folder);
  const read: StoreAccess['read'] = async (how) => {
    how?.onNotice(broken);
    return view();
  };
  Object.assign(folder, { read });
  await expect(reset('earliest', { execute: false })).rejects.toMatchObject({
    code: 'corrupt_file',
    message: broken.message,
    fix: broken.fix,
    context: { file: 'inventory.csv', line: 2 },
  });
});

describe('a topic that is gone', () => {
  beforeEach(() => broker.topics.delete('orders'));
  const failureOf = (run: Promise<unknown>): Promise<unknown> =>
    run.then(
      () => null,
      (error: unknown) => error,
    );

  it('and that the folder has read is said to be so, with the way out that consume takes', async () => {
    const gone = {
      code: 'topic_changed',
      fix: { kind: 'other_cluster' },
      context: { topic: 'orders', partition: 0, offset: 6 },
    };
    expect(await failureOf(showOffsets({ access: folder, broker }, READING))).toMatchObject(gone);
    expect(await failureOf(reset('earliest'))).toMatchObject(gone);
    expect(await failureOf(reset('earliest', { execute: false }))).toMatchObject(gone);
  });

  it('and of which nothing was read is one to be made', async () => {
    folder.stored.clear();
    const missing = { code: 'topic_missing', fix: { kind: 'other_topic' } };
    expect(await failureOf(showOffsets({ access: folder, broker }, READING))).toMatchObject(missing);
    expect(await failureOf(reset('earliest'))).toMatchObject(missing);
  });
});

it('where a partition starts is stored once: what another process has read meanwhile stands', async () => {
  await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  const starts = [0, 2].map((partition) => ({ partition, offset: 3 }));
  const inForce = await storeStarts(store, { processor: 'orders', topic: 'orders' }, starts);
  expect(inForce).toMatchObject([
    { partition: 0, next: 6 },
    { partition: 2, next: 3, last: null, clusterId: null },
  ]);
  expect(await store.positions()).toEqual(expect.arrayContaining([...inForce]));
});
