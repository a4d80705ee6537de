import { describe, expect, it } from 'vitest';

import { Group, NEW_MEMBER_JOIN_TIMEOUT_MS } from '../../../src/dev-broker/groups/group.ts';
import type {
  Effect,
  JoinAnswer,
  SavedGroup,
  SyncAnswer,
} from '../../../src/dev-broker/groups/group-messages.ts';
import { ERROR } from '../../../src/dev-broker/wire/errors.ts';
import { joining, protocol, SESSION_MS, syncing } from './group-requests.ts';

/** Drives one group: tickets are its own, the clock is the test's. */
class Driver {
  readonly joins = new Map<number, JoinAnswer>();
  readonly syncs = new Map<number, SyncAnswer>();
  saved: SavedGroup | undefined;
  now = 0;
  readonly group: Group;
  #tickets = 0;

  constructor(initialDelayMs = 0, saved?: SavedGroup) {
    this.group = new Group(initialDelayMs, saved);
  }

  join(memberId: string, options: Parameters<typeof joining>[1] = {}): number {
    const ticket = (this.#tickets += 1);
    this.take(this.group.join(ticket, joining(memberId, options), this.now));
    return ticket;
  }

  sync(
    memberId: string,
    assignments: Record<string, string> = {},
    generation = this.group.generation,
  ): number {
    const ticket = (this.#tickets += 1);
    this.take(this.group.sync(ticket, syncing(memberId, generation, assignments), this.now));
    return ticket;
  }

  heartbeat(memberId: string, generation = this.group.generation, instanceId: string | null = null) {
    return this.group.heartbeat({ memberId, instanceId, generation }, this.now);
  }

  leave(memberId: string, instanceId: string | null = null) {
    const { errors, effects } = this.group.leave([{ memberId, instanceId }], this.now);
    this.take(effects);
    return errors[0];
  }

  pass(ms: number): void {
    this.now += ms;
    this.take(this.group.tick(this.now));
  }

  take(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'save') this.saved = effect.saved;
      else if (effect.kind === 'joined') this.joins.set(effect.ticket, effect.answer);
      else this.syncs.set(effect.ticket, effect.answer);
    }
  }

  /** A stable group of these members, the first its leader; each is assigned its own name. */
  stable(...names: string[]): void {
    for (const name of names) this.join('', { newMemberId: name, idFirst: false });
    for (const name of names.slice(0, -1)) this.join(name);
    for (const name of names) this.sync(name, Object.fromEntries(names.map((each) => [each, each])));
    expect(this.group.state).toBe('Stable');
  }
}

describe('joining', () => {
  it('takes one member from Empty to Stable, its assignment its own', () => {
    const driver = new Driver();
    const answer = driver.joins.get(driver.join('', { newMemberId: 'a', idFirst: false }));
    expect(answer).toMatchObject({
      error: 0,
      memberId: 'a',
      leaderId: 'a',
      generation: 1,
      protocolName: 'range',
    });
    expect(answer?.members).toEqual([{ memberId: 'a', instanceId: null, metadata: Buffer.from('a') }]);
    expect(driver.group.state).toBe('CompletingRebalance');
    const synced = driver.syncs.get(driver.sync('a', { a: 'everything' }));
    expect(synced).toMatchObject({ error: 0, protocolType: 'consumer', protocolName: 'range' });
    expect(synced?.assignment.toString()).toBe('everything');
    expect(driver.group.state).toBe('Stable');
  });

  it('gives a new member its id first, and forgets ids that are not used', () => {
    const driver = new Driver();
    const first = driver.joins.get(driver.join('', { newMemberId: 'a' }));
    expect(first).toMatchObject({ error: ERROR.MEMBER_ID_REQUIRED, memberId: 'a' });
    expect(driver.group.state).toBe('Empty');
    expect(driver.joins.get(driver.join('a'))).toMatchObject({ error: 0, generation: 1 });
    driver.join('', { newMemberId: 'late' });
    driver.pass(SESSION_MS);
    expect(driver.joins.get(driver.join('late'))).toMatchObject({ error: ERROR.UNKNOWN_MEMBER_ID });
  });

  it('waits for an id that was given before the join phase ends', () => {
    const driver = new Driver();
    driver.stable('a');
    driver.join('', { newMemberId: 'b' });
    const a = driver.join('a', { metadata: 'changed' });
    expect(driver.joins.has(a)).toBe(false);
    const b = driver.join('b');
    expect([a, b].map((ticket) => driver.joins.get(ticket)?.generation)).toEqual([2, 2]);
  });

  it('tells a stable group of a newcomer by heartbeats, and makes one generation of all', () => {
    const driver = new Driver();
    driver.stable('a', 'b');
    const before = driver.group.generation;
    const c = driver.join('', { newMemberId: 'c', idFirst: false });
    expect(driver.heartbeat('a')).toBe(ERROR.REBALANCE_IN_PROGRESS);
    const a = driver.join('a');
    expect(driver.joins.has(a)).toBe(false);
    const b = driver.join('b');
    const answers = [a, b, c].map((ticket) => driver.joins.get(ticket));
    expect(answers.map((answer) => answer?.generation)).toEqual([before + 1, before + 1, before + 1]);
    expect(answers.map((answer) => answer?.leaderId)).toEqual(['a', 'a', 'a']);
    expect(answers.map((answer) => answer?.members.length)).toEqual([3, 0, 0]);
  });

  it('goes on without a member that does not join again in time', () => {
    const driver = new Driver();
    driver.stable('a', 'b');
    const b = driver.join('b', { metadata: 'changed', rebalanceTimeoutMs: 3_000 });
    driver.pass(2_999);
    expect(driver.heartbeat('a')).toBe(ERROR.REBALANCE_IN_PROGRESS);
    // The longest rebalance timeout of all members counts.
    driver.pass(5_001);
    // Its session goes on, so that it is not what ends its membership.
    expect(driver.heartbeat('a')).toBe(ERROR.REBALANCE_IN_PROGRESS);
    driver.pass(2_000);
    expect(driver.joins.get(b)).toMatchObject({ error: 0, leaderId: 'b' });
    expect(driver.group.members.map(({ memberId }) => memberId)).toEqual(['b']);
    expect(driver.heartbeat('a')).toBe(ERROR.UNKNOWN_MEMBER_ID);
  });

  it('selects what all can do and most prefer, and refuses who can do nothing of it', () => {
    const driver = new Driver(1_000);
    const range = protocol('range');
    const sticky = protocol('sticky');
    const own = protocol('own');
    const a = driver.join('', { newMemberId: 'a', idFirst: false, protocols: [own, range, sticky] });
    driver.join('', { newMemberId: 'b', idFirst: false, protocols: [sticky, range] });
    driver.join('', { newMemberId: 'c', idFirst: false, protocols: [sticky, range] });
    const refused = [
      driver.join('', { protocols: [own] }),
      driver.join('', { protocolType: 'connect' }),
      driver.join('a', { protocols: [own] }),
    ];
    for (const ticket of refused) {
      expect(driver.joins.get(ticket)).toMatchObject({ error: ERROR.INCONSISTENT_GROUP_PROTOCOL });
    }
    driver.pass(10_000);
    expect(driver.joins.get(a)).toMatchObject({ error: 0, protocolName: 'sticky' });
    const none = new Driver();
    expect(none.joins.get(none.join('', { protocols: [] }))?.error).toBe(ERROR.INCONSISTENT_GROUP_PROTOCOL);
    expect(none.joins.get(none.join('', { protocolType: '' }))?.error).toBe(
      ERROR.INCONSISTENT_GROUP_PROTOCOL,
    );
  });

  it('lets the first rebalance wait, longer when somebody comes, never longer than the rebalance timeout', () => {
    const driver = new Driver(4_000);
    const a = driver.join('', { newMemberId: 'a', idFirst: false, rebalanceTimeoutMs: 10_000 });
    driver.pass(3_999);
    driver.join('', { newMemberId: 'b', idFirst: false });
    driver.pass(1);
    driver.join('', { newMemberId: 'c', idFirst: false });
    driver.pass(4_000);
    driver.join('', { newMemberId: 'd', idFirst: false });
    driver.pass(1_999);
    expect(driver.joins.has(a)).toBe(false);
    driver.pass(1);
    expect(driver.joins.get(a)?.members.map(({ memberId }) => memberId)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('answers again a member that lost the answer, without a rebalance', () => {
    const driver = new Driver();
    driver.stable('a', 'b');
    const { generation } = driver.group;
    expect(driver.joins.get(driver.join('b'))).toMatchObject({
      error: 0,
      generation,
      leaderId: 'a',
      members: [],
    });
    expect(driver.group.state).toBe('Stable');
    driver.join('a');
    expect(driver.group.state).toBe('PreparingRebalance');
    driver.join('b');
    const again = driver.joins.get(driver.join('a'));
    expect(again).toMatchObject({ error: 0, generation: generation + 1, leaderId: 'a' });
    expect(again?.members).toHaveLength(2);
    expect(driver.group.state).toBe('CompletingRebalance');
  });

  it('answers the first of two joins of a member, too', () => {
    const driver = new Driver();
    driver.stable('a', 'b');
    const first = driver.join('a');
    const second = driver.join('a');
    expect(driver.joins.get(first)?.error).toBe(ERROR.REBALANCE_IN_PROGRESS);
    driver.join('b');
    expect(driver.joins.get(second)?.error).toBe(0);
  });

  it('gives up a new member that waits for too long, for it has no heartbeat', () => {
    const driver = new Driver();
    driver.stable('a');
    const long = { sessionTimeoutMs: 1_800_000, rebalanceTimeoutMs: 1_800_000 };
    driver.join('a', { ...long, metadata: 'changed' });
    driver.sync('a');
    const b = driver.join('', { newMemberId: 'b', idFirst: false, ...long });
    driver.pass(NEW_MEMBER_JOIN_TIMEOUT_MS);
    expect(driver.joins.get(b)).toMatchObject({ error: ERROR.UNKNOWN_MEMBER_ID, memberId: '' });
  });
});

describe('assignments', () => {
  it('reach the followers when the leader brings them, in whatever order they ask', () => {
    const driver = new Driver();
    driver.join('', { newMemberId: 'a', idFirst: false });
    const early = driver.join('', { newMemberId: 'b', idFirst: false });
    driver.join('a');
    expect(driver.joins.get(early)?.generation).toBe(2);
    const b = driver.sync('b');
    expect(driver.syncs.has(b)).toBe(false);
    driver.sync('a', { b: 'p1' });
    expect(driver.syncs.get(b)?.assignment.toString()).toBe('p1');
    // The leader left itself out, and a later request gets the same again.
    expect(driver.syncs.get(driver.sync('a'))?.assignment).toHaveLength(0);
  });

  it('are refused to other generations, unknown members, other protocols and during a rebalance', () => {
    const driver = new Driver();
    driver.stable('a', 'b');
    const { generation } = driver.group;
    const error = (ticket: number) => driver.syncs.get(ticket)?.error;
    expect(error(driver.sync('a', {}, generation - 1))).toBe(ERROR.ILLEGAL_GENERATION);
    expect(error(driver.sync('x'))).toBe(ERROR.UNKNOWN_MEMBER_ID);
    for (const other of [{ protocolType: 'connect' }, { protocolName: 'sticky' }]) {
      driver.take(driver.group.sync(99, { ...syncing('a', generation, {}), ...other }, driver.now));
      expect(error(99)).toBe(ERROR.INCONSISTENT_GROUP_PROTOCOL);
    }
    driver.join('a');
    expect(error(driver.sync('b'))).toBe(ERROR.REBALANCE_IN_PROGRESS);
  });

  it('are given up when the group changes while they are awaited', () => {
    const driver = new Driver();
    driver.stable('a', 'b');
    driver.join('a');
    driver.join('b');
    const waiting = driver.sync('b');
    driver.join('', { newMemberId: 'c', idFirst: false });
    expect(driver.syncs.get(waiting)?.error).toBe(ERROR.REBALANCE_IN_PROGRESS);
    driver.leave('a');
    const b = driver.join('b');
    expect(driver.joins.get(b)).toMatchObject({ error: 0, leaderId: 'b' });
  });

  it('are not awaited for ever: members that never ask are removed', () => {
    const driver = new Driver();
    driver.stable('a', 'b');
    driver.join('a', { sessionTimeoutMs: 60_000 });
    driver.join('b', { metadata: 'changed', sessionTimeoutMs: 60_000 });
    const b = driver.sync('b');
    driver.pass(9_999);
    expect(driver.syncs.has(b)).toBe(false);
    driver.pass(1);
    expect(driver.syncs.get(b)?.error).toBe(ERROR.REBALANCE_IN_PROGRESS);
    expect(driver.group.members.map(({ memberId }) => memberId)).toEqual(['b']);
  });
});

describe('sessions', () => {
  it('end without a heartbeat, and the others rebalance', () => {
    const driver = new Driver();
    driver.stable('a', 'b');
    driver.pass(SESSION_MS - 1);
    expect(driver.heartbeat('b')).toBe(ERROR.NONE);
    expect(driver.group.deadline).toBe(SESSION_MS);
    driver.pass(1);
    expect(driver.group.state).toBe('PreparingRebalance');
    expect(driver.joins.get(driver.join('b'))).toMatchObject({ error: 0, leaderId: 'b' });
    expect(driver.heartbeat('a')).toBe(ERROR.UNKNOWN_MEMBER_ID);
  });

  it('do not end while the member waits for an answer of ours', () => {
    const driver = new Driver();
    driver.stable('a', 'b');
    const b = driver.join('b', { metadata: 'changed', rebalanceTimeoutMs: 60_000 });
    for (let passed = 0; passed < 3 * SESSION_MS; passed += SESSION_MS / 2) {
      driver.pass(SESSION_MS / 2);
      driver.heartbeat('a');
    }
    driver.join('a');
    expect(driver.joins.get(b)?.error).toBe(0);
    const sync = driver.sync('b');
    driver.pass(SESSION_MS - 1);
    driver.heartbeat('a');
    driver.pass(1);
    driver.sync('a', { b: 'p' });
    expect(driver.syncs.get(sync)?.assignment.toString()).toBe('p');
  });

  it('end the group as Empty when the last is gone, its generation counting on', () => {
    const driver = new Driver();
    driver.stable('a', 'b');
    const { generation } = driver.group;
    driver.pass(SESSION_MS);
    expect(driver.group).toMatchObject({
      state: 'Empty',
      generation: generation + 1,
      protocolType: 'consumer',
    });
    expect(driver.group.deadline).toBe(Infinity);
    expect(driver.joins.get(driver.join('', { newMemberId: 'c', idFirst: false }))?.generation).toBe(
      generation + 2,
    );
  });

  it('refuse a heartbeat of another generation or of nobody', () => {
    const driver = new Driver();
    expect(driver.heartbeat('a')).toBe(ERROR.UNKNOWN_MEMBER_ID);
    driver.stable('a');
    expect(driver.heartbeat('a', 7)).toBe(ERROR.ILLEGAL_GENERATION);
    driver.join('', { newMemberId: 'late', idFirst: false });
    driver.join('a');
    expect(driver.heartbeat('a')).toBe(ERROR.NONE);
  });
});

describe('leaving', () => {
  it('frees the place at once, by a member id from anywhere', () => {
    const driver = new Driver();
    driver.stable('ghost');
    expect(driver.leave('ghost')).toBe(ERROR.NONE);
    expect(driver.group.state).toBe('Empty');
    expect(driver.leave('ghost')).toBe(ERROR.UNKNOWN_MEMBER_ID);
  });

  it('answers what the leaver still waits for, and lets the others go on', () => {
    const driver = new Driver();
    driver.stable('a', 'b');
    const a = driver.join('a');
    driver.leave('a');
    expect(driver.joins.get(a)).toMatchObject({ error: ERROR.UNKNOWN_MEMBER_ID, memberId: '' });
    const b = driver.join('b');
    expect(driver.joins.get(b)).toMatchObject({ error: 0, leaderId: 'b' });
    const waiting = driver.sync('b', { b: 'p' });
    expect(driver.syncs.get(waiting)?.error).toBe(0);
  });

  it('takes back an id that was given and is not used', () => {
    const driver = new Driver();
    driver.join('', { newMemberId: 'a' });
    expect(driver.leave('a')).toBe(ERROR.NONE);
    expect(driver.joins.get(driver.join('a'))?.error).toBe(ERROR.UNKNOWN_MEMBER_ID);
  });

  it('ends the initial wait of a group as Empty when nobody is left', () => {
    const driver = new Driver(1_000);
    driver.join('', { newMemberId: 'a', idFirst: false });
    driver.leave('a');
    driver.pass(1_000);
    expect(driver.group.state).toBe('Empty');
  });
});

describe('static members', () => {
  const fixed = (name: string, newMemberId: string) => ({ instanceId: name, newMemberId });

  it('come back to their assignment without a rebalance, and fence their former self', () => {
    const driver = new Driver();
    driver.join('', fixed('one', 'a1'));
    driver.sync('a1', { a1: 'p' });
    const back = driver.joins.get(driver.join('', fixed('one', 'a2')));
    // Without the ability to skip, it must not believe that it is the leader.
    expect(back).toMatchObject({ error: 0, memberId: 'a2', generation: 1, leaderId: 'a1', members: [] });
    expect(driver.group.state).toBe('Stable');
    expect(driver.heartbeat('a1', 1, 'one')).toBe(ERROR.FENCED_INSTANCE_ID);
    expect(driver.heartbeat('a2', 1, 'one')).toBe(ERROR.NONE);
    expect(driver.syncs.get(driver.sync('a2'))?.assignment.toString()).toBe('p');
    const skipping = driver.joins.get(driver.join('', { ...fixed('one', 'a3'), canSkipAssignment: true }));
    expect(skipping).toMatchObject({ memberId: 'a3', leaderId: 'a3', skipAssignment: true });
    expect(skipping?.members).toHaveLength(1);
    expect(driver.saved?.members.map(({ memberId }) => memberId)).toEqual(['a3']);
  });

  it('rebalance when what they can do has changed the choice, or while assignments are awaited', () => {
    const driver = new Driver();
    driver.join('', fixed('one', 'a1'));
    const other = { ...fixed('one', 'a2'), protocols: [protocol('sticky'), protocol('range')] };
    const completing = driver.join('', other);
    expect(driver.joins.get(completing)).toMatchObject({ error: 0, generation: 2, protocolName: 'sticky' });
    driver.sync('a2');
    const changed = driver.join('', {
      ...fixed('one', 'a3'),
      protocols: [protocol('range'), protocol('sticky')],
    });
    expect(driver.joins.get(changed)).toMatchObject({ error: 0, generation: 3, protocolName: 'range' });
  });

  it('are fenced while they wait, and may be removed by their instance id', () => {
    const driver = new Driver();
    driver.stable('d');
    const old = driver.join('', fixed('one', 'a1'));
    const fresh = driver.join('', fixed('one', 'a2'));
    expect(driver.joins.get(old)?.error).toBe(ERROR.FENCED_INSTANCE_ID);
    driver.join('d');
    expect(driver.joins.get(fresh)?.error).toBe(0);
    expect(driver.leave('a1', 'one')).toBe(ERROR.FENCED_INSTANCE_ID);
    expect(driver.leave('', 'other')).toBe(ERROR.UNKNOWN_MEMBER_ID);
    expect(driver.leave('', 'one')).toBe(ERROR.NONE);
    expect(driver.group.members.map(({ memberId }) => memberId)).toEqual(['d']);
  });

  it('keep their place over a join phase in which they do not answer', () => {
    const driver = new Driver();
    driver.join('', { ...fixed('one', 'a1'), rebalanceTimeoutMs: 1_000, sessionTimeoutMs: 20_000 });
    driver.sync('a1', { a1: 'p' });
    const d = driver.join('', { newMemberId: 'd', idFirst: false, rebalanceTimeoutMs: 1_000 });
    driver.pass(1_000);
    expect(driver.joins.get(d)).toMatchObject({ error: 0, leaderId: 'd' });
    expect(driver.joins.get(d)?.members).toHaveLength(2);
  });
});

describe('commits', () => {
  const simple = { memberId: '', instanceId: null, generation: -1 };

  it('are allowed without a member while the group has none', () => {
    const driver = new Driver();
    expect(driver.group.commit(simple, false, 0)).toBe(ERROR.NONE);
    driver.stable('a');
    expect(driver.group.commit(simple, false, 0)).toBe(ERROR.UNKNOWN_MEMBER_ID);
    expect(driver.group.commit(simple, true, 0)).toBe(ERROR.NONE);
    driver.leave('a');
    expect(driver.group.commit(simple, false, 0)).toBe(ERROR.NONE);
  });

  it('are held against member and generation, and keep the session', () => {
    const driver = new Driver();
    driver.stable('a', 'b');
    const member = { memberId: 'a', instanceId: null, generation: driver.group.generation };
    driver.pass(SESSION_MS - 1);
    expect(driver.group.commit(member, false, driver.now)).toBe(ERROR.NONE);
    driver.pass(1);
    expect(driver.group.members.map(({ memberId }) => memberId)).toEqual(['a']);
    expect(driver.group.commit({ ...member, generation: 1 }, false, driver.now)).toBe(
      ERROR.ILLEGAL_GENERATION,
    );
    expect(driver.group.commit({ ...member, generation: 1 }, true, driver.now)).toBe(
      ERROR.ILLEGAL_GENERATION,
    );
    expect(driver.group.commit({ ...member, memberId: 'x' }, false, driver.now)).toBe(
      ERROR.UNKNOWN_MEMBER_ID,
    );
  });

  it('are allowed while a rebalance is prepared, not while its assignment is awaited', () => {
    const driver = new Driver();
    driver.stable('a', 'b');
    const member = () => ({ memberId: 'a', instanceId: null, generation: driver.group.generation });
    driver.join('b', { metadata: 'changed' });
    expect(driver.group.commit(member(), false, driver.now)).toBe(ERROR.NONE);
    driver.join('a');
    expect(driver.group.commit(member(), false, driver.now)).toBe(ERROR.REBALANCE_IN_PROGRESS);
    expect(driver.group.commit(member(), true, driver.now)).toBe(ERROR.NONE);
  });
});

describe('a group', () => {
  it('goes on after a restart where it was, its sessions beginning again', () => {
    const driver = new Driver();
    driver.stable('a', 'b');
    const again = new Group(0, JSON.parse(JSON.stringify(driver.saved)) as SavedGroup, 50_000);
    expect(again).toMatchObject({
      state: 'Stable',
      generation: driver.group.generation,
      protocolName: 'range',
    });
    expect(again.members.map(({ memberId, assignment }) => [memberId, assignment.toString()])).toEqual([
      ['a', 'a'],
      ['b', 'b'],
    ]);
    expect(again.deadline).toBe(50_000 + SESSION_MS);
    expect(again.heartbeat({ memberId: 'b', instanceId: null, generation: again.generation }, 50_001)).toBe(
      0,
    );
  });

  it('is deleted only while it is empty, and is dead from then on', () => {
    const driver = new Driver();
    driver.stable('a');
    expect(driver.group.delete()).toBe(false);
    driver.leave('a');
    expect(driver.group.delete()).toBe(true);
    expect(driver.joins.get(driver.join(''))?.error).toBe(ERROR.COORDINATOR_NOT_AVAILABLE);
    expect(driver.heartbeat('a')).toBe(ERROR.COORDINATOR_NOT_AVAILABLE);
    expect(driver.group.commit({ memberId: '', instanceId: null, generation: -1 }, false, 0)).toBe(
      ERROR.COORDINATOR_NOT_AVAILABLE,
    );
  });
});
