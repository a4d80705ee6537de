import type { TopicPartition } from '../../../ports/store.ts';
import type { FetchedPartition } from '../protocol/fetched-partition.ts';
import type { FetchedData } from '../protocol/requests/fetch.ts';
import type { Leader } from '../protocol/requests/metadata.ts';
import type { Leaders } from './leaders.ts';
import { PartitionMap } from '../partition-map.ts';

/** After trouble, a partition is left alone for this long. */
const REST_MS = 200;
/** An answer that is overdue this long means trouble: an idle partition is answered after half a second. */
const TROUBLE_MS = 1_000;

/** One partition's part in a request to one node; compared by identity. */
export interface Question {
  readonly leader: Leader;
  readonly offset: number;
}

/** A comparison of a partition's position with what its leader has; compared by identity. */
export interface Check {
  readonly slot: Slot;
  readonly leader: Leader;
}

/** A partition that is read. */
export interface Slot {
  readonly of: TopicPartition;
  /** The offset to request next. */
  offset: number;
  /** The leader under which the position was last compared with the topic; undefined when that is in doubt. */
  checked: Leader | undefined;
  /** The comparison under way. A new doubt cancels it. */
  check: Check | undefined;
  /** The one request whose answer counts. A seek, a doubt and another leader cancel it. */
  question: Question | undefined;
  data: FetchedPartition | undefined;
  /** The last answer was empty. */
  atEnd: boolean;
  isResting: boolean;
  /** Since when an answer is pending, in terms of performance.now. */
  waitingSince: number | null;
  heldBack: HeldBack | null;
}

/** Offsets of open transactions, and those behind them, which cannot be read before the transactions end. */
export interface HeldBack extends TopicPartition {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** When `from` was first seen, in terms of performance.now. */
  readonly since: number;
}

/** A partition with a pending answer. */
export interface Owed extends TopicPartition {
  /** In terms of performance.now. */
  readonly since: number;
  /** The node that should answer; null where the partition has no leader. */
  readonly nodeId: number | null;
}

export interface SlotsOptions {
  readonly leaders: Leaders;
  readonly signal: AbortSignal;
  /** Called when what was fetched or requested of the partition no longer counts. */
  readonly onDropped: (slot: Slot) => void;
  /** Called soon after positions are in doubt and can be compared, once for all of them. */
  readonly onDoubt: () => void;
  /** Called when partitions may be requested again. */
  readonly onRested: () => void;
}

/**
 * The partitions that are read, and which of their positions are in doubt. A partition is read only under a leader
 * under which its position was compared with the topic.
 */
export class Slots {
  readonly #options: SlotsOptions;
  readonly #slots = new PartitionMap<Slot>();
  /** The slot whose batch is being processed. */
  inHand: Slot | undefined;
  #isScheduled = false;

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

  /** Nothing of the partition is read until its position was compared again. */
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

  /** Leaders were read or are suspected: positions compared under another leader are in doubt. */
  sawLeaders(): void {
    for (const slot of this.#slots.values()) {
      const leader = this.#options.leaders.of(slot.of);
      const isOld = (reign: Leader | undefined): boolean => reign !== undefined && reign !== leader;
      if (leader === undefined || isOld(slot.checked) || isOld(slot.check?.leader)) this.doubt(slot);
    }
    this.tellDoubt();
  }

  /** Announces doubts once, after everything that raises them in this turn. */
  tellDoubt(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      if (!this.#options.signal.aborted) this.#options.onDoubt();
    });
  }

  /**
   * Takes the partitions whose positions are in doubt and can be compared now; from here on they are being compared.
   * A partition whose batch is being processed has no position to compare yet.
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

  /** @returns whether the position is no longer in doubt; false when a new doubt arose meanwhile */
  settle(check: Check): boolean {
    const { slot, leader } = check;
    if (!this.#isInForce(check)) return false;
    slot.check = undefined;
    slot.checked = leader;
    return true;
  }

  /** The comparison failed temporarily: it must be repeated. */
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

  /** Whether the position of every partition that has a leader was compared. */
  get isSure(): boolean {
    const { leaders } = this.#options;
    return this.#slots
      .values()
      .every((slot) => slot.checked !== undefined || leaders.of(slot.of) === undefined);
  }

  /** The partitions whose answers are pending. */
  owed(): Owed[] {
    return this.#slots.values().flatMap((slot) => {
      const { of, waitingSince: since } = slot;
      if (since === null || slot === this.inHand) return [];
      return [{ ...of, since, nodeId: this.#options.leaders.lastOf(of) }];
    });
  }

  /** @param ends from an answer: how far the partition can be read, and where it ends */
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
