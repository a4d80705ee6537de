import { setTimeout as sleep } from 'node:timers/promises';

import type { TopicPartition } from '../../../ports/store.ts';
import {
  assignAll,
  assignShares,
  decodeAssignment,
  encodeSubscription,
  protocolOf,
  topicsOfOthers,
  type Assigned,
} from './assigner.ts';
import type { KafkaClient } from '../protocol/client.ts';
import { answerOf, isPassing, toFailure } from '../protocol/errors.ts';
import { describeGroup, groupInUse } from '../admin/groups.ts';
import type { BrokerNode, JoinedGroup } from '../protocol/kafkajs.ts';
import { PartitionMap } from '../partition-map.ts';
import { partitionsOf } from '../admin/offsets.ts';

/** Shortest first: after a kill, the dead member holds the group this long. Brokers allow 6 s and more by default. */
const SESSION_TIMEOUTS_MS = [6_000, 10_000, 30_000, 60_000];
const HEARTBEATS_PER_SESSION = 3;
/** How long the group waits for us when another member joins: we answer at the next heartbeat. */
const REBALANCE_TIMEOUT_MS = 15_000;
const FIND_TIMEOUT_MS = 30_000;
const PAUSE_MS = 300;
/** Pause between two attempts to reach a coordinator that is away. */
const AWAY_PAUSE_MS = 1_000;
const LEAVE_TIMEOUT_MS = 1_500;

/** Answers after which a member joins again. */
const REJOIN = new Set(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID']);
const FOREIGN = new Set(['INCONSISTENT_GROUP_PROTOCOL', 'GROUP_MAX_SIZE_REACHED']);

export interface Member {
  readonly generationId: number;
  readonly memberId: string;
}

export interface Joined {
  /** The partitions assigned to this member. */
  readonly assigned: readonly TopicPartition[];
  /** All partitions that were divided; null if another member divided them. */
  readonly divided: readonly TopicPartition[] | null;
  /** Topics among these that only other members read. */
  readonly others: readonly string[];
}

export interface MembershipOptions {
  readonly client: KafkaClient;
  readonly topics: readonly string[];
  readonly group: string;
  /** See RunOptions.storeId. */
  readonly storeId: string;
  /** See RunOptions.process. */
  readonly process: string | null;
  /** Partitions already known: the node that reports what there is to divide may be cut off from the others. */
  readonly known: () => readonly TopicPartition[];
  /** The partitions that this member has, where members share them; undefined where one member has all of them. */
  readonly claims: (() => readonly TopicPartition[]) | undefined;
  readonly signal: AbortSignal;
  /** Called each time the group was joined. */
  readonly onJoined: (joined: Joined) => void;
  /** Called when the group has removed this member and given its partitions to others. */
  readonly onExpired: () => void;
  /** Called once, when the group can no longer be ours. */
  readonly onLost: (failure: Error) => void;
}

/**
 * Our membership of the consumer group, kept up alongside the reading: joins, heartbeats and rejoins continue while a
 * batch is processed for minutes. Where one member has all partitions, the group serves two purposes only: no second
 * consumer reads for another folder, and every Kafka tool shows which consumer reads and how far it is. What is read
 * does not depend on it.
 */
export class Membership {
  readonly #options: MembershipOptions;
  #member: Member | undefined;
  #node: BrokerNode | undefined;
  #memberId = '';
  /** The generation in which the claimed partitions were assigned. */
  #generation = -1;
  #sessionTimeoutMs = SESSION_TIMEOUTS_MS[0] ?? 6_000;
  #rejoin = false;
  #wake: () => void = () => undefined;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** undefined while not joined: commits wait. */
  get member(): Member | undefined {
    return this.#member;
  }

  /**
   * Joins, then keeps the membership up in the background. May be called again after broker_unreachable.
   *
   * @param timeoutMs how long to look for a coordinator that is away
   * @throws Failure see Consumer.run
   */
  async start(timeoutMs: number): Promise<void> {
    await this.#join(timeoutMs);
    void this.#keepUp();
  }

  /** The coordinator. After `lose` it is looked up again, and the membership stays as it is. */
  async node(): Promise<BrokerNode> {
    if (this.#node?.isConnected() !== true)
      this.#node = await this.#options.client.coordinator(this.#options.group);
    return this.#node;
  }

  /** Call when the node does not answer, or is no longer the coordinator. */
  lose(): void {
    this.#node = undefined;
  }

  /**
   * Joins again soon, because a topic has more partitions or a commit was refused.
   *
   * @param refused the membership that was refused; no effect if there is another one by now
   */
  rejoin(refused?: Member): void {
    if (refused !== undefined && refused !== this.#member) return;
    this.#rejoin = true;
    this.#wake();
  }

  /** Leaves the group, so that it is free at once. Never rejects; takes at most 1.5 s. */
  async leave(): Promise<void> {
    const memberId = this.#memberId;
    const { group } = this.#options;
    // The group knows the id from its first answer on, whether or not the join was completed.
    if (memberId === '') return;
    this.#memberId = '';
    this.#member = undefined;
    const left = this.node()
      .then((node) => node.leaveGroup({ groupId: group, memberId }))
      .catch(() => undefined);
    await Promise.race([left, sleep(LEAVE_TIMEOUT_MS, undefined, { ref: false })]);
  }

  async #keepUp(): Promise<void> {
    const { signal, onLost, group, client } = this.#options;
    const calmMs = this.#sessionTimeoutMs / HEARTBEATS_PER_SESSION;
    let pauseMs = calmMs;
    while (!signal.aborted) {
      await this.#pause(pauseMs);
      pauseMs = calmMs;
      if (isAborted(signal)) return;
      try {
        if (this.#rejoin || this.#member === undefined) await this.#join();
        else await this.#heartbeat(this.#member);
      } catch (error) {
        if (isAborted(signal)) return;
        if (isPassing(error) || answerOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION') {
          // The coordinator is away or moving. Reading continues, and so does the membership once it is back. Whether
          // the topic was deleted is for the reading to find out.
          this.lose();
          pauseMs = AWAY_PAUSE_MS;
          continue;
        }
        onLost(toFailure(error, { addresses: client.addresses, doing: `stay in group ${group}` }));
        return;
      }
    }
  }

  async #heartbeat(member: Member): Promise<void> {
    const { group } = this.#options;
    try {
      const node = await this.node();
      await node.heartbeat({
        groupId: group,
        groupGenerationId: member.generationId,
        memberId: member.memberId,
      });
    } catch (error) {
      if (!REJOIN.has(answerOf(error) ?? '')) throw error;
      await this.#join();
    }
  }

  async #join(timeoutMs = FIND_TIMEOUT_MS): Promise<void> {
    const { client, group, signal, onJoined, onExpired } = this.#options;
    // Commits under the previous generation would be refused.
    this.#member = undefined;
    const joined = await client.retry({ doing: `join group ${group}`, timeoutMs, signal }, async () => {
      try {
        return await this.#joinOnce();
      } catch (error) {
        this.lose();
        const answer = answerOf(error) ?? '';
        if (answer === 'UNKNOWN_MEMBER_ID') {
          this.#memberId = '';
          onExpired();
        }
        if (REJOIN.has(answer)) return undefined;
        if (FOREIGN.has(answer)) {
          throw groupInUse(group, await describeGroup(client, group), client.clientId, error);
        }
        if (answer === 'INVALID_SESSION_TIMEOUT' && this.#lengthenSession()) return undefined;
        throw error;
      }
    });
    if (joined === undefined) {
      await this.#pause(PAUSE_MS);
      signal.throwIfAborted();
      await this.#join(timeoutMs);
      return;
    }
    if (joined === 'taken') return this.#giveUp();
    onJoined(joined);
  }

  /** @returns taken when another member leads a group that may have only one */
  async #joinOnce(): Promise<Joined | 'taken'> {
    const { group, topics, storeId, process, claims } = this.#options;
    // Cleared before joining: a rejoin() from here on requires another join.
    this.#rejoin = false;
    const about = { process, sessionTimeoutMs: this.#sessionTimeoutMs };
    const claim = claims === undefined ? undefined : { owned: claims(), generation: this.#generation };
    const node = await this.node();
    const joined = await node.joinGroup({
      groupId: group,
      sessionTimeout: this.#sessionTimeoutMs,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      memberId: this.#memberId,
      groupProtocols: [{ name: protocolOf(storeId), metadata: encodeSubscription(topics, about, claim) }],
    });
    this.#memberId = joined.memberId;
    const isLeader = joined.leaderId === joined.memberId;
    const others = isLeader && claims !== undefined ? topicsOfOthers(joined.members, topics) : [];
    const divided = isLeader ? await this.#partitions(others) : null;
    const { memberAssignment } = await node.syncGroup({
      groupId: group,
      generationId: joined.generationId,
      memberId: joined.memberId,
      groupAssignment: divided === null ? [] : this.#divide(joined, divided),
    });
    if (claims === undefined && !isLeader) return 'taken';
    this.#member = { generationId: joined.generationId, memberId: joined.memberId };
    this.#generation = joined.generationId;
    return { assigned: decodeAssignment(memberAssignment), divided, others };
  }

  /** The partitions to divide, in order of partitions. */
  async #partitions(others: readonly string[]): Promise<TopicPartition[]> {
    const { client, topics, known } = this.#options;
    const read = await partitionsOf(client, topics, others);
    const all = new PartitionMap([...read, ...known()].map((of) => [of, undefined] as const)).keys();
    return all.sort((a, b) => a.partition - b.partition);
  }

  #divide({ leaderId, members }: JoinedGroup, partitions: readonly TopicPartition[]): Assigned[] {
    if (this.#options.claims === undefined) return assignAll(leaderId, members, partitions);
    return assignShares(members, partitions);
  }

  /** @throws Failure group_in_use, after leaving, so that the member that has the group does not wait for us */
  async #giveUp(): Promise<never> {
    const { client, group } = this.#options;
    const own = this.#memberId;
    const description = await client.retry({ doing: `describe group ${group}` }, () =>
      describeGroup(client, group),
    );
    await this.leave();
    const members = description.members.filter(({ memberId }) => memberId !== own);
    throw groupInUse(group, { ...description, members }, client.clientId);
  }

  #lengthenSession(): boolean {
    const next = SESSION_TIMEOUTS_MS.find((timeoutMs) => timeoutMs > this.#sessionTimeoutMs);
    if (next === undefined) return false;
    this.#sessionTimeoutMs = next;
    return true;
  }

  /** Ends early on rejoin() or when the signal aborts. */
  async #pause(ms: number): Promise<void> {
    const early = new AbortController();
    this.#wake = () => {
      early.abort();
    };
    const signal = AbortSignal.any([this.#options.signal, early.signal]);
    await sleep(ms, undefined, { signal }).catch(() => undefined);
  }
}

function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
