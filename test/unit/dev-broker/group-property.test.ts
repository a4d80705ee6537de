import fc from 'fast-check';
import { expect, it } from 'vitest';

import { Group } from '../../../src/dev-broker/groups/group.ts';
import type { Effect, JoinAnswer, SyncAnswer } from '../../../src/dev-broker/groups/group-messages.ts';
import { ERROR } from '../../../src/dev-broker/wire/errors.ts';
import { joining, protocol, syncing } from './group-requests.ts';

const CLIENTS = 4;
const LONGEST_WAIT_MS = 10 * 60_000;

type Step =
  | { readonly kind: 'join' | 'sync' | 'heartbeat' | 'leave' | 'forget'; readonly client: number }
  | { readonly kind: 'change'; readonly client: number; readonly assignors: readonly string[] }
  | { readonly kind: 'pass'; readonly ms: number };

const client = fc.nat({ max: CLIENTS - 1 });
const assignors = fc.shuffledSubarray(['range', 'sticky', 'own'], { minLength: 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('join' as const), client }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('sync' as const), client }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('heartbeat' as const), client }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), client }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), client }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('change' as const), client, assignors }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat({ max: 4_000 }) }) },
);

interface Client {
  memberId: string;
  generation: number;
  protocols: readonly string[];
  readonly instanceId: string | null;
}

/** Clients that do what they like, and what must hold whatever they do. */
class World {
  readonly group: Group;
  readonly clients: Client[];
  readonly waiting = new Map<number, { readonly client: Client; readonly memberId: string }>();
  readonly answered = new Set<number>();
  /** What the leader of each generation received and what it assigned. */
  readonly generations = new Map<number, { leaderId: string; protocolName: string | null }>();
  readonly assigned = new Map<number, Map<string, string>>();
  now = 0;
  #ids = 0;

  constructor(initialDelayMs: number, fixed: number) {
    this.group = new Group(initialDelayMs);
    this.clients = Array.from({ length: CLIENTS }, (_, index) => ({
      memberId: '',
      generation: -1,
      protocols: ['range'],
      instanceId: index < fixed ? `static-${index}` : null,
    }));
  }

  do(step: Step): void {
    const generation = this.group.generation;
    if (step.kind === 'pass') {
      this.now += step.ms;
      this.take(this.group.tick(this.now));
    } else {
      const one = this.clients[step.client];
      if (one !== undefined) this.#act(step, one);
    }
    expect(this.group.generation).toBeGreaterThanOrEqual(generation);
    expect(this.group.deadline).toBeGreaterThan(this.now);
    const ids = this.group.members.map(({ memberId }) => memberId);
    expect(new Set(ids).size).toBe(ids.length);
    if (this.group.state === 'Empty') expect(ids).toEqual([]);
    if (this.group.state === 'Stable' || this.group.state === 'CompletingRebalance') {
      expect(ids).not.toEqual([]);
      for (const { join } of this.group.members) expect(join).toBeNull();
    }
  }

  /** Nobody does anything any more: all that waits is answered by time alone, and the group is empty in the end. */
  end(): void {
    for (let left = 200; this.group.deadline < Infinity; left -= 1) {
      expect(left).toBeGreaterThan(0);
      expect(this.group.deadline).toBeLessThanOrEqual(this.now + LONGEST_WAIT_MS);
      this.now = this.group.deadline;
      this.take(this.group.tick(this.now));
    }
    expect([...this.waiting.keys()]).toEqual([]);
    expect(this.group.state).toBe('Empty');
  }

  #act(step: Exclude<Step, { kind: 'pass' }>, one: Client): void {
    const ticket = (this.#ids += 1);
    const { memberId, instanceId, generation } = one;
    if (step.kind === 'change') {
      one.protocols = step.assignors;
    } else if (step.kind === 'forget') {
      one.memberId = '';
    } else if (step.kind === 'join') {
      this.waiting.set(ticket, { client: one, memberId });
      const protocols = one.protocols.map((name) => protocol(name));
      const request = joining(memberId, { newMemberId: `m${ticket}`, protocols, instanceId });
      this.take(this.group.join(ticket, request, this.now));
    } else if (step.kind === 'sync') {
      this.waiting.set(ticket, { client: one, memberId });
      const everybody = this.group.members.map((member) => [member.memberId, `${ticket}/${member.memberId}`]);
      const assignments = Object.fromEntries(everybody) as Record<string, string>;
      const brings =
        this.group.state === 'CompletingRebalance' &&
        generation === this.group.generation &&
        this.generations.get(generation)?.leaderId === memberId;
      if (brings) this.assigned.set(generation, new Map(Object.entries(assignments)));
      this.take(
        this.group.sync(ticket, { ...syncing(memberId, generation, assignments), instanceId }, this.now),
      );
    } else if (step.kind === 'heartbeat') {
      const error = this.group.heartbeat({ memberId, instanceId, generation }, this.now);
      if (error === ERROR.UNKNOWN_MEMBER_ID) one.memberId = '';
    } else {
      const { errors, effects } = this.group.leave([{ memberId, instanceId }], this.now);
      if (errors[0] === ERROR.NONE) one.memberId = '';
      this.take(effects);
    }
  }

  take(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'save') continue;
      const waited = this.waiting.get(effect.ticket);
      expect(waited).toBeDefined();
      expect(this.answered.has(effect.ticket)).toBe(false);
      this.answered.add(effect.ticket);
      this.waiting.delete(effect.ticket);
      if (waited === undefined) continue;
      if (effect.kind === 'joined') this.#joined(waited.client, effect.answer);
      else if (waited.client.instanceId === null) this.#synced(waited.memberId, effect.answer);
    }
  }

  #joined(one: Client, answer: JoinAnswer): void {
    if (answer.error === ERROR.MEMBER_ID_REQUIRED) one.memberId = answer.memberId;
    if (answer.error === ERROR.UNKNOWN_MEMBER_ID) one.memberId = '';
    if (answer.error !== ERROR.NONE) return;
    one.memberId = answer.memberId;
    one.generation = answer.generation;
    const { leaderId, protocolName } = answer;
    const known = this.generations.get(answer.generation);
    expect(known?.protocolName ?? protocolName).toBe(protocolName);
    if (answer.members.length > 0) {
      expect(leaderId).toBe(answer.memberId);
      this.generations.set(answer.generation, { leaderId, protocolName });
    }
  }

  #synced(memberId: string, answer: SyncAnswer): void {
    if (answer.error !== ERROR.NONE) return;
    expect(answer.assignment.toString()).toBe(this.assigned.get(this.group.generation)?.get(memberId));
  }
}

it('answers every join and sync once, of one leader and one protocol a generation, and ends empty', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 120, size: 'max' }),
      fc.constantFrom(0, 500, 3_000),
      fc.nat({ max: 2 }),
      (steps, initialDelayMs, fixed) => {
        const world = new World(initialDelayMs, fixed);
        for (const each of steps) world.do(each);
        world.end();
      },
    ),
    { numRuns: 300 },
  );
});
