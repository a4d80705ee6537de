import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { GroupCoordinator } from '../../../src/dev-broker/groups/coordinator.ts';
import type { PartitionOffset } from '../../../src/dev-broker/groups/offsets.ts';
import { ERROR } from '../../../src/dev-broker/wire/errors.ts';
import { waitFor } from '../../support/wait.ts';
import { joining, syncing } from './group-requests.ts';

let folder = '';
let groups: GroupCoordinator;

const settings = { minSessionTimeoutMs: 100, offsetsRetentionMs: 3_600_000 };

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'groups-'));
  groups = new GroupCoordinator(folder, settings);
});

afterEach(() => {
  groups.close();
  rmSync(folder, { recursive: true, force: true });
});

function restart(): void {
  groups.close();
  groups = new GroupCoordinator(folder, settings);
}

function offset(partition: number, value: number, topic = 'orders'): PartitionOffset {
  return {
    topic,
    partition,
    offset: value,
    leaderEpoch: 3,
    metadata: `"m\n${value}`,
    committedAt: Date.now(),
  };
}

const simple = { memberId: '', instanceId: null, generation: -1 };
const options = { transactional: false, unknownGroup: ERROR.ILLEGAL_GENERATION };

describe('offsets', () => {
  it('are there after a restart with all that they were committed with', () => {
    const [first, second] = [offset(0, 5), offset(1, 2 ** 40)];
    groups.offsets.commit('g/"1"', [first, second]);
    groups.offsets.commit('g/"1"', [{ ...first, offset: 6 }]);
    groups.offsets.commit('other', [offset(0, 1)]);
    restart();
    expect(groups.offsets.of('g/"1"')).toEqual([{ ...first, offset: 6 }, second]);
    expect(groups.offsets.get('other', 'orders', 0)?.offset).toBe(1);
    expect(groups.offsets.get('other', 'orders', 1)).toBeUndefined();
    expect(groups.all().map(([name, { state }]) => [name, state])).toEqual([
      ['g/"1"', 'Empty'],
      ['other', 'Empty'],
    ]);
  });

  it('of a transaction are seen once it commits, and never when it aborts', () => {
    groups.offsets.commit('g', [offset(0, 1)]);
    groups.offsets.commitPending(7, 'g', [offset(0, 10)]);
    groups.offsets.commitPending(7, 'fresh', [offset(0, 10)]);
    groups.offsets.commitPending(8, 'g', [offset(1, 20)]);
    restart();
    const of = (group: string) => groups.offsets.of(group).map((each) => [each.partition, each.offset]);
    expect(of('g')).toEqual([[0, 1]]);
    expect([0, 1, 2].map((index) => groups.offsets.isUnstable('g', 'orders', index))).toEqual([
      true,
      true,
      false,
    ]);
    groups.endTransaction(7, true);
    groups.endTransaction(8, false);
    groups.endTransaction(9, true);
    expect(groups.offsets.isUnstable('g', 'orders', 0)).toBe(false);
    for (let round = 0; round < 2; round += 1) {
      expect([of('g'), of('fresh')]).toEqual([[[0, 10]], [[0, 10]]]);
      expect(groups.get('fresh')?.state).toBe('Empty');
      restart();
    }
  });

  it('go with their topic, with their group, or when they are old', () => {
    groups.offsets.commit('g', [offset(0, 1), offset(0, 2, 'payments')]);
    groups.offsets.commit('h', [offset(0, 3)]);
    groups.forgetTopic('orders');
    restart();
    expect(groups.offsets.of('g').map(({ topic }) => topic)).toEqual(['payments']);
    expect(groups.offsets.groups()).toEqual(new Set(['g']));
    groups.offsets.commit('h', [{ ...offset(0, 3), committedAt: Date.now() - 4_000_000 }]);
    groups.checkCommit('h', simple, options);
    groups.applyRetention();
    restart();
    expect(groups.all().map(([name]) => name)).toEqual(['g']);
    expect(groups.delete('g')).toBe(ERROR.NONE);
    expect(groups.delete('g')).toBe(ERROR.GROUP_ID_NOT_FOUND);
    restart();
    expect(groups.all()).toEqual([]);
    expect(groups.offsets.groups()).toEqual(new Set());
  });
});

describe('groups', () => {
  const join = (memberId = '', more: Parameters<typeof joining>[1] = {}) =>
    groups.join('g', joining(memberId, { idFirst: false, ...more }));

  it('are refused a session that is too short or too long, and a name that is none', async () => {
    expect(await join('', { sessionTimeoutMs: 99 })).toMatchObject({ error: ERROR.INVALID_SESSION_TIMEOUT });
    expect(await join('', { sessionTimeoutMs: 1_800_001 })).toMatchObject({
      error: ERROR.INVALID_SESSION_TIMEOUT,
    });
    expect((await groups.join('', joining(''))).error).toBe(ERROR.INVALID_GROUP_ID);
    expect(groups.checkCommit('', simple, options)).toBe(ERROR.INVALID_GROUP_ID);
    expect(groups.all()).toEqual([]);
  });

  it('have no members before they are there', async () => {
    expect((await join('somebody')).error).toBe(ERROR.UNKNOWN_MEMBER_ID);
    expect((await groups.sync('g', syncing('somebody', 1, {}))).error).toBe(ERROR.UNKNOWN_MEMBER_ID);
    const member = { memberId: 'somebody', instanceId: null, generation: 1 };
    expect(groups.heartbeat('g', member)).toBe(ERROR.UNKNOWN_MEMBER_ID);
    expect(groups.leave('g', [member])).toEqual([ERROR.UNKNOWN_MEMBER_ID]);
    expect(groups.checkCommit('g', member, options)).toBe(ERROR.ILLEGAL_GENERATION);
    expect(groups.get('g')).toBeUndefined();
  });

  it('keep their members over a restart', async () => {
    const { memberId, generation } = await join();
    expect(memberId).toMatch(/^test-[0-9a-f-]{36}$/);
    await groups.sync('g', syncing(memberId, generation, { [memberId]: 'all' }));
    restart();
    expect(groups.heartbeat('g', { memberId, instanceId: null, generation })).toBe(ERROR.NONE);
    expect(groups.get('g')?.members[0]?.assignment.toString()).toBe('all');
    expect(groups.delete('g')).toBe(ERROR.NON_EMPTY_GROUP);
    expect(groups.checkCommit('g', simple, options)).toBe(ERROR.UNKNOWN_MEMBER_ID);
  });

  it('lose a member that is silent, by themselves', async () => {
    const { memberId, generation } = await join('', { sessionTimeoutMs: 100 });
    await groups.sync('g', syncing(memberId, generation, {}));
    await waitFor('the end of the session', () => groups.get('g')?.state === 'Empty');
    restart();
    expect(groups.get('g')).toMatchObject({ state: 'Empty', generation: generation + 1 });
  });

  it('answer who waits when the broker stops', async () => {
    const { memberId } = await join();
    await groups.sync('g', syncing(memberId, 1, {}));
    const waiting = join();
    restart();
    expect((await waiting).error).toBe(ERROR.COORDINATOR_NOT_AVAILABLE);
  });
});
