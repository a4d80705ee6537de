import type { TopicPartition } from '../../../ports/store.ts';
import type { FetchedPartition } from '../protocol/fetched-partition.ts';
import type { FetchedData } from '../protocol/requests/fetch.ts';
import type { Leader } from '../protocol/requests/metadata.ts';
import type { Leaders } from './leaders.ts';
import { PartitionMap } from '../partition-map.ts';

/** After trouble a partition is left alone for that long. */
const REST_MS = 200;
/** An answer that is owed for that long is trouble: an idle partition is answered after half a second. */
const TROUBLE_MS = 1_000;

/** One partition's part in a question to one node; known by its identity. */
export interface Question {
  readonly leader: Leader;
  readonly offset: number;
}

/** A comparison of a partition's position with what its leader has; known by its identity. */
export interface Check {
  readonly slot: Slot;
  readonly leader: Leader;
}

/** A partition that is read. */
export interface Slot {
  readonly of: TopicPartition;
  /** The offset to ask for next. */
  offset: number;
  /** Under whose reign the position was last compared with the topic; undefined when that is in doubt. */
  checked: Leader | undefined;
  /** The comparison under way. A new doubt takes it back. */
  check: Check | undefined;
  /** The one question that may be answered. A seek, a doubt and another leader take it back. */
  question: Question | undefined;
  data: FetchedPartition | undefined;
  /** The last answer brought nothing. */
  atEnd: boolean;
  isResting: boolean;
  /** Since when an answer is owed, as performance.now has it. */
  waitingSince: number | null;
  heldBack: HeldBack | null;
}

/** Offsets of open transactions, and those behind them, which are not read before they end. */
export interface HeldBack extends TopicPartition {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** As performance.now has it: when `from` was seen first. */
  readonly since: number;
}

/** A partition that is owed an answer. */
export interface Owed extends TopicPartition {
  /** As performance.now has it. */
  readonly since: number;
  /** Who should answer; null where the partition has no leader. */
  readonly nodeId: number | null;
}

export interface SlotsOptions {
  readonly leaders: Leaders;
  readonly signal: AbortSignal;
  /** What was fetched or asked of the partition counts no more. */
  readonly onDropped: (slot: Slot) => void;
  /** Positions are in doubt that can be compared: soon after, once for all of them. */
  readonly onDoubt: () => void;
  /** Partitions may be asked for again. */
  readonly onRested: () => void;
}

/**
 * The partitions that are read, and which of their positions are in doubt. A partition is only read under a leader
 * under which its position was compared with the topic.
 */
export class Slots {
  readonly #options: SlotsOptions;
  readonly #slots = new PartitionMap<Slot>();
  /** The one whose batch is worked on. */
  inHand: Slot | undefined;
  #isTelling = false;

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  get(of: TopicPartition): Slot | undefined {
    return this.#slots.get(of);
  }

  add(of: TopicPartition): Slot {
    const nothing = { checked: undefined, check: undefined, question: undefined, data: undefined };
    const isIdle = { atEnd: false, isResting: false, waitingSince: null, heldBack: null };
    const slot: Slot = { of, offset: 0, ...nothing, ...isIdle };
    this.#slots.set(of, slot);
    return slot;
  }

  remove(of: TopicPartition): void {
    const slot = this.#slots.get(of);
    if (slot === undefined) return;
    this.#slots.delete(of);
    this.#options.onDropped(slot);
  }

  /** Nothing of it is read until its position was compared again. */
  doubt(slot: Slot): void {
    slot.checked = undefined;
    slot.check = undefined;
    slot.waitingSince ??= performance.now();
    this.#options.onDropped(slot);
    this.tellDoubt();
  }

  doubtAll(): void {
    for (const slot of this.#slots.values()) this.doubt(slot);
  }

  /** Leaders were read or are suspected: what was compared under another one is in doubt. */
  sawLeaders(): void {
    for (const slot of this.#slots.values()) {
      const leader = this.#options.leaders.of(slot.of);
      const isOld = (reign: Leader | undefined): boolean => reign !== undefined && reign !== leader;
      if (leader === undefined || isOld(slot.checked) || isOld(slot.check?.leader)) this.doubt(slot);
    }
    this.tellDoubt();
  }

  /** In the same turn, after all that raises doubts. */
  tellDoubt(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      if (!this.#options.signal.aborted) this.#options.onDoubt();
    });
  }

  /**
   * Partitions whose positions are in doubt and can be compared now: from here on they are being compared. One whose
   * batch is in hand has no position to compare yet.
   */
  takeDoubtful(): Check[] {
    const doubtful: Check[] = [];
    for (const slot of this.#slots.values()) {
      const leader = this.#options.leaders.of(slot.of);
      if (leader === undefined || slot.checked !== undefined || slot.check !== undefined) continue;
      if (slot.isResting || slot === this.inHand) continue;
      slot.check = { slot, leader };
      doubtful.push(slot.check);
    }
    return doubtful;
  }

  /** @returns whether the position is no longer in doubt; not when a new doubt came up meanwhile */
  settle(check: Check): boolean {
    const { slot, leader } = check;
    if (!this.#isInForce(check)) return false;
    slot.check = undefined;
    slot.checked = leader;
    return true;
  }

  /** The comparison failed in a way that passes: it is to be made again. */
  putBack(check: Check): void {
    if (!this.#isInForce(check)) return;
    check.slot.check = undefined;
    this.rest(check.slot);
  }

  #isInForce(check: Check): boolean {
    const { slot } = check;
    return slot.check === check && this.#slots.get(slot.of) === slot;
  }

  rest(slot: Slot): void {
    slot.isResting = true;
    const timer = setTimeout(() => {
      slot.isResting = false;
      this.#options.onRested();
      this.tellDoubt();
    }, REST_MS);
    timer.unref();
  }

  /** Whether every partition that has a leader was compared. */
  get isSure(): boolean {
    const { leaders } = this.#options;
    return this.#slots
      .values()
      .every((slot) => slot.checked !== undefined || leaders.of(slot.of) === undefined);
  }

  /** The partitions that are owed an answer. */
  owed(): Owed[] {
    return this.#slots.values().flatMap((slot) => {
      const { of, waitingSince: since } = slot;
      if (since === null || slot === this.inHand) return [];
      return [{ ...of, since, nodeId: this.#options.leaders.lastOf(of) }];
    });
  }

  /** @param ends as an answer has them: how far the partition can be read, and how far it reaches */
  sawEnds(
    slot: Slot,
    { stableEnd: from, highWatermark: to }: Pick<FetchedData, 'stableEnd' | 'highWatermark'>,
  ): void {
    const before = slot.heldBack;
    const since = before?.from === from ? before.since : performance.now();
    slot.heldBack = from >= 0 && from < to ? { ...slot.of, from, to, since } : null;
  }

  heldBack(): HeldBack[] {
    return this.#slots.values().flatMap(({ heldBack }) => heldBack ?? []);
  }

  get isTroubled(): boolean {
    const since = performance.now() - TROUBLE_MS;
    return this.owed().some((owed) => owed.since <= since);
  }
}
