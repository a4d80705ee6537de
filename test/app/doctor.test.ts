import { beforeEach, describe, expect, it } from 'vitest';
import { doctor } from '../../src/app/doctor/doctor.ts';
import type { Check } from '../../src/app/doctor/finding.ts';
import { markOf } from '../../src/app/offsets/plan.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { StoreNotice } from '../../src/ports/notices.ts';
import type { SchemaTools } from '../../src/ports/schema-registry.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';

let clock: FakeClock;
let folder: ModelFolder;
let broker: ScriptedBroker;

const tools: SchemaTools = {
  registry: {
    versions: async () => [],
    version: async () => undefined,
    find: async () => undefined,
    compatibility: async () => 'BACKWARD',
    check: async () => ({ compatible: true, messages: [] }),
    register: async () => 1,
  },
  validate: () => undefined,
  differences: () => [],
};

beforeEach(() => {
  clock = new FakeClock();
  folder = new ModelFolder(clock);
  broker = new ScriptedBroker();
  broker.createTopic('orders');
  broker.createTopic('orders.dlq');
});

const NAMES = new Map([['shipments.created', 'shop.shipments']]);

/** The checks by name. */
async function checks(): Promise<Map<string, Check>> {
  const options = { topic: 'orders', dlqTopic: 'orders.dlq', group: 'g', names: NAMES, settingsFile: null };
  const found = await doctor({ access: folder, broker, tools, clock }, options);
  return new Map(found.map((check) => [check.name, check]));
}

describe('doctor', () => {
  it('looks at everything, whatever it finds', async () => {
    expect([...(await checks()).keys()]).toEqual([
      'settings',
      'storage',
      'hand_edits',
      'owner',
      'disk',
      'broker',
      'versions',
      'topics',
      'positions',
      'group',
      'clock',
      'registry',
      'schema',
    ]);
  });

  it.each([
    [-3_600_000, 'ok'],
    [4 * 60_000, 'ok'],
    [6 * 60_000, 'warning'],
    [3_600_000, 'warning'],
  ])('a record %i ms ahead of the clock: %s', async (aheadMs, state) => {
    broker.append('orders', 0, { timestamp: clock.now() + aheadMs });
    expect((await checks()).get('clock')?.state).toBe(state);
  });

  const denied = async (): Promise<never> => {
    throw new Failure('broker_refused', 'cannot describe topic orders', { fix: { kind: 'check_acls' } });
  };

  it('takes it that a processor may not see how topics are set up, which it need not', async () => {
    const admin = await broker.admin();
    broker.admin = async () => ({ ...admin, describeTopic: denied });
    const found = await checks();
    expect(found.get('topics')).toMatchObject({
      state: 'warning',
      failure: null,
      fix: { kind: 'check_acls' },
    });
    expect(found.get('positions')?.state).toBe('ok');
  });

  it('skips what is about a topic that this user may not see', async () => {
    const admin = await broker.admin();
    broker.admin = async () => ({ ...admin, describeTopic: denied, partitionCount: denied });
    const found = await checks();
    expect([...found.values()].filter(({ failure }) => failure !== null)).toEqual([]);
    for (const name of ['positions', 'group', 'clock'])
      expect(found.get(name)).toMatchObject({
        state: 'skipped',
        message: expect.stringContaining('no permission to describe topic') as string,
      });
    // What a consumer needs is an error.
    broker.admin = async () => ({ ...admin, committed: denied });
    expect((await checks()).get('group')).toMatchObject({
      state: 'error',
      failure: { code: 'broker_refused' },
    });
  });

  it('says of a folder without users or items that every order would be rejected', async () => {
    expect((await checks()).get('storage')).toMatchObject({ state: 'warning' });
    await folder.edit({ kind: 'user.add', user: 'alice', status: 'paid' });
    expect((await checks()).get('storage')?.fix).toEqual({ kind: 'add_first', table: 'items' });
    await folder.edit({ kind: 'item.add', item: 'pen', quantity: 1 });
    expect((await checks()).get('storage')).toMatchObject({ state: 'ok', fix: null });
  });

  it('warns of a file that was kept aside, until it is gone', async () => {
    folder.aside.push({ file: '/shop/inventory.csv.ambiguous.conflict', why: 'ambiguous' });
    folder.aside.push({ file: '/shop/users.csv.conflict', why: 'stranger' });
    const found = (await checks()).get('hand_edits');
    expect(found).toMatchObject({ state: 'warning' });
    expect(found?.message).toMatch(
      /^\/shop\/inventory\.csv\.ambiguous\.conflict was set aside.*, and 1 more file$/,
    );
    expect(found?.fix).toEqual({ kind: 'carry_over' });
    folder.aside.length = 0;
    expect((await checks()).get('hand_edits')).toMatchObject({ state: 'ok' });
  });

  it.each([
    ['container', /layer of the container/],
    ['memory', /in memory/],
    ['remote', /second consumer/],
  ] as const)('warns of a folder on what is no disk of this machine: %s', async (medium, message) => {
    folder.on.medium = medium;
    const found = (await checks()).get('disk');
    expect(found).toMatchObject({ state: 'warning', fix: { kind: 'lasting_disk', medium } });
    expect(found?.message).toMatch(message);
  });

  it('warns root of a folder that belongs to another user', async () => {
    expect((await checks()).get('disk')).toMatchObject({ state: 'ok' });
    folder.on.owner = 1000;
    expect((await checks()).get('disk')).toMatchObject({
      state: 'warning',
      fix: { kind: 'as_owner', user: 1000 },
    });
  });

  it.each([
    ['disk', 500 * 2 ** 20, 'warning', /^500 MiB free/],
    ['disk', 4096, 'error', /^the disk is full: 0 MiB free/],
    ['memory', 500 * 2 ** 20, 'warning', /^500 MiB free .* in memory/],
    ['memory', 0, 'error', /^the disk is full: 0 MiB free .* in memory/],
  ] as const)(
    'names a disk that is full or soon is, whatever it is: %s, %i bytes',
    async (medium, freeBytes, state, message) => {
      Object.assign(folder.on, { medium, freeBytes });
      const found = (await checks()).get('disk');
      expect(found).toMatchObject({ state, failure: state === 'error' ? { code: 'write_failed' } : null });
      expect(found?.message).toMatch(message);
      expect(JSON.stringify(found?.fix)).toContain('make room');
    },
  );

  it('names what may not be written', async () => {
    folder.on.unwritable = '/shop/.orderctl/journal.7';
    const found = (await checks()).get('disk');
    expect(found).toMatchObject({ state: 'error', failure: { code: 'write_failed' } });
    expect(found?.message).toMatch(/^\/shop\/\.orderctl\/journal\.7 cannot be written/);
  });

  it('finds a position outside of the topic, and a group that is not ours', async () => {
    folder.stored.set('orders orders/0', {
      processor: 'orders',
      topic: 'orders',
      partition: 0,
      next: 7,
      last: null,
      clusterId: broker.clusterId,
    });
    broker.committedBy.set('0', { partition: 0, offset: 7, metadata: markOf('another') });
    const found = await checks();
    expect(found.get('positions')).toMatchObject({ state: 'error', failure: { code: 'offsets_gone' } });
    expect(found.get('group')).toMatchObject({ state: 'error', failure: { code: 'group_marked' } });
  });

  it('says what was kept aside, why, and the ways out', async () => {
    folder.aside.push(
      { file: '/shop/inventory.csv.1.conflict', why: 'rows_missing' },
      { file: '/shop/users.csv.1.conflict', why: 'stranger' },
    );
    const found = (await checks()).get('hand_edits');
    expect(found).toMatchObject({ state: 'warning', failure: null });
    expect(found?.message).toMatch(
      /^\/shop\/inventory.csv.1.conflict was set aside.*rows are missing, and 1 more file$/,
    );
    expect(found?.fix).toEqual({ kind: 'carry_over' });
  });

  it('warns of a save that will be kept aside before anything does that', async () => {
    const read = folder.read.bind(folder);
    folder.read = (how?: { readonly onNotice: (notice: StoreNotice) => void }) => {
      how?.onNotice({ kind: 'file_set_aside', file: 'inventory.csv', keptAs: null, why: 'rows_missing' });
      return read();
    };
    const found = (await checks()).get('hand_edits');
    expect(found).toMatchObject({ state: 'warning', fix: { kind: 'carry_over' } });
    expect(found?.message).toMatch(/^inventory\.csv is not applied, and will be set aside: more/);
  });

  it('says once that the folder cannot be read', async () => {
    const broken = new Failure('corrupt_file', 'inventory.csv:2: quantity of pen is "many"');
    folder.read = () => Promise.reject(broken);
    const found = await checks();
    expect(found.get('storage')).toMatchObject({ state: 'error', failure: broken });
    const saying = [...found.values()].filter(({ message }) => message.includes('many'));
    expect(saying.map(({ name }) => name)).toEqual(['storage']);
    for (const name of ['positions', 'group']) {
      expect(found.get(name)).toMatchObject({
        state: 'skipped',
        message: expect.stringContaining('storage') as unknown,
      });
    }
    expect(found.get('clock')?.state).toBe('ok');
  });

  it('of a broken file says its line, and looks at the positions all the same', async () => {
    const read = folder.read.bind(folder);
    folder.read = (how?: { readonly onNotice: (notice: StoreNotice) => void }) => {
      const message = 'inventory.csv:2: quantity of pen is "many"';
      how?.onNotice({ kind: 'file_broken', file: 'inventory.csv', line: 2, message, fix: 'use a number' });
      return read();
    };
    const found = await checks();
    expect(found.get('storage')).toMatchObject({
      state: 'error',
      fix: 'use a number',
      failure: { code: 'corrupt_file' },
      message: expect.stringContaining('inventory.csv:2') as unknown,
    });
    for (const name of ['positions', 'group']) expect(found.get(name)).toMatchObject({ state: 'ok' });
  });

  it('says once that the user may not read the folder', async () => {
    const denied = new Failure('read_failed', 'reading .orderctl failed: permission denied');
    folder.read = () => Promise.reject(denied);
    folder.keptAside = () => {
      throw denied;
    };
    folder.consumerStatus = () => Promise.reject(denied);
    const found = await checks();
    expect(found.get('storage')).toMatchObject({ state: 'error', failure: denied });
    for (const name of ['hand_edits', 'owner']) {
      const message = expect.stringContaining('see storage') as unknown;
      expect(found.get(name)).toMatchObject({ state: 'skipped', message, failure: null });
    }
    folder.keptAside = () => [];
    expect((await checks()).get('hand_edits')).toMatchObject({ state: 'ok' });
  });

  it('says of a topic that was read and is gone that consume refuses it, and the way out', async () => {
    broker.topics.delete('orders');
    expect((await checks()).get('topics')).toMatchObject({ state: 'warning', fix: { kind: 'apply_topics' } });
    folder.stored.set('orders/0', {
      processor: 'orders',
      topic: 'orders',
      partition: 0,
      next: 7,
      last: null,
      clusterId: broker.clusterId,
    });
    expect((await checks()).get('topics')).toMatchObject({
      state: 'error',
      failure: { code: 'topic_changed' },
      fix: { kind: 'other_cluster' },
    });
  });

  it('compares the positions of the other processors with the topics that they read, as a run does', async () => {
    const read = (topic: string): void => {
      const next = 7;
      const of = { processor: 'warehouse', topic, partition: 0 } as const;
      folder.stored.set(`warehouse ${topic}/0`, { ...of, next, last: null, clusterId: broker.clusterId });
    };
    // It is not read under this name any more.
    read('shipments.created');
    expect((await checks()).has('positions_of_warehouse')).toBe(false);
    read('shop.shipments');
    expect((await checks()).get('positions_of_warehouse')).toMatchObject({
      state: 'error',
      failure: { code: 'topic_changed' },
      fix: { kind: 'other_cluster', reader: { processor: 'warehouse', topic: 'shop.shipments' } },
    });
    broker.createTopic('shop.shipments');
    expect((await checks()).get('positions_of_warehouse')?.failure?.code).toBe('offsets_gone');
    for (let i = 0; i < 7; i++) broker.append('shop.shipments', 0, {});
    expect((await checks()).has('positions_of_warehouse')).toBe(false);
    const admin = await broker.admin();
    const ofOrders = async (topic: string): Promise<number | undefined> =>
      topic === 'shop.shipments' ? denied() : admin.partitionCount(topic);
    broker.admin = async () => ({ ...admin, partitionCount: ofOrders });
    expect((await checks()).has('positions_of_warehouse')).toBe(false);
  });

  it('leaves out what needs a broker or a topic where there is none', async () => {
    broker.topics.delete('orders');
    expect((await checks()).get('clock')).toMatchObject({ state: 'skipped' });
    broker.admin = () => Promise.reject(new Failure('broker_unreachable', 'nobody answers'));
    const found = await checks();
    expect(found.get('broker')).toMatchObject({ state: 'error', failure: { code: 'broker_unreachable' } });
    for (const name of ['versions', 'topics', 'positions', 'group', 'clock']) {
      expect(found.get(name), name).toMatchObject({ state: 'skipped' });
    }
    expect(found.get('schema')?.state).toBe('ok');
  });
});
