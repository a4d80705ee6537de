import type { Advice } from '../domain/advice.ts';
import type { Edit, EditVia } from '../domain/edit.ts';
import type { ProcessorName } from '../domain/messages/message.ts';
import type { State, StateChanges } from '../domain/state.ts';
import type { StoreNotice } from './notices.ts';
import type { Processes } from './processes.ts';
import type { Source } from './store.ts';

/**
 * What a run may wait for. `store`: its database; `others`: processes that share the store, and are to send what they
 * have taken over.
 */
export type Awaited = 'broker' | 'registry' | 'store' | 'others';

/** The status that a running consumer reports. */
export interface ConsumerStatus {
  /** `starting`: before the first record is asked for; `stopping`: it finishes what is in hand. */
  readonly state: 'starting' | 'consuming' | 'waiting' | 'stopping';
  /** What it waits for, in state `waiting`. */
  readonly waitingFor: Awaited | null;
  readonly topic: string;
  readonly group: string;
  /** Records decided or dead-lettered a second, over the last ten seconds. */
  readonly ordersPerSecond: number;
  /** Records behind the end, by the last answer of the brokers; null before the first. */
  readonly lag: number | null;
  /** Milliseconds since the epoch; null before the first commit. */
  readonly lastCommitAt: number | null;
  /** Since it started. */
  readonly counts: {
    readonly read: number;
    readonly accepted: number;
    readonly rejected: number;
    readonly duplicates: number;
    readonly conflicts: number;
    readonly deadLettered: number;
  };
  /** Each processor that runs; the fields above are those of `orders`, or of the first. */
  readonly processors: readonly ProcessorStatus[];
  /** Files that it does not take in as they are, and does not write until they are mended. */
  readonly brokenFiles: readonly BrokenFile[];
}

/** The status of a running processor; fields as in ConsumerStatus. */
export interface ProcessorStatus {
  readonly name: ProcessorName;
  readonly group: string;
  readonly topics: readonly string[];
  /** Those that it reads, and how far; of one that runs several times the others have the rest. */
  readonly partitions: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly next: number;
    readonly lag: number;
  }[];
  readonly recordsPerSecond: number;
  readonly lag: number | null;
  readonly lastCommitAt: number | null;
  readonly read: number;
  readonly deadLettered: number;
  /** Counts by result. */
  readonly outcomes: Readonly<Record<string, number>>;
}

export interface BrokenFile {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Names file and line. */
  readonly message: string;
  /** Absent: a consumer of an earlier version does not say. */
  readonly fix?: Advice | null;
}

/** The consumer that owns a store; where several do, all of them as one, by the number of the oldest. */
export interface RunningConsumer {
  readonly pid: number;
  /** Since when it owns the store, milliseconds since the epoch. */
  readonly startedAt: number;
  readonly status: ConsumerStatus;
  /** Each of those that own a store at the same time; absent where only one can. */
  readonly instances?: readonly RunningInstance[];
}

/** One of the processes that consume on a store. */
export interface RunningInstance {
  readonly pid: number;
  /** The machine, by its name. */
  readonly host: string;
  readonly startedAt: number;
  /** `silent`: it does not answer. */
  readonly state: ConsumerStatus['state'] | 'silent';
  /** Those that it runs; of one that is silent none is known. */
  readonly processors: readonly ProcessorName[];
  readonly partitions: readonly Source[];
}

/** An owner that was stopped; of several the oldest, and whether any was killed. */
export interface StoppedConsumer {
  readonly pid: number;
  /** It did not finish its work in hand, which the next owner recovers. */
  readonly killed: boolean;
  /** As in RunningConsumer. */
  readonly instances?: readonly { readonly pid: number; readonly host: string; readonly killed: boolean }[];
}

export interface OwnOptions {
  /** What the owner does, for messages to other processes that want the store: `consume`. */
  readonly purpose: string;
  /** How the edits of its transactions are logged. */
  readonly via: EditVia;
  readonly onNotice: (notice: StoreNotice) => void;
  /**
   * What follows from edits of users and items by any process, committed together with them. Pure.
   *
   * @param state as it was before them
   */
  readonly onEdits?: (edits: readonly Edit[], state: State) => Pick<StateChanges, 'small' | 'outgoing'>;
  /** Called after each commit, of whatever cause, that left messages to be sent or effects owed. */
  readonly onOwed?: () => void;
  /** Called after each sync that made commits durable, with how long the disk or the database took for it. */
  readonly onSynced?: (seconds: number) => void;
  /**
   * Called once when nothing can be stored any more, for example because a CSV could not be written in the background
   * or an edit by another process failed. The owner has to leave.
   */
  readonly onFailure?: (failure: Error) => void;
  /** Of a consumer: answers `consumerStatus` of other processes, at any moment. */
  readonly status?: () => ConsumerStatus;
  /** Nobody else may own the store meanwhile, though several could. */
  readonly isAlone?: boolean;
  /**
   * The store, once it was reached, is away, as a database that is started again; repeated as long as that lasts, then null.
   * Nothing that was asked of it fails before `awayLimitMs`.
   */
  readonly onAway?: (failure: Error | null) => void;
  /** null: for ever; by default nothing waits. */
  readonly awayLimitMs?: number | null;
  /** When it aborts nothing waits for a store that is away. */
  readonly signal?: AbortSignal;
  /** Gives the store a new id, durable when `own` resolves, because it is a copy of another. */
  readonly newId?: boolean;
  /**
   * If a CSV is broken, continue with its last good values and leave it as it is, rather than fail with corrupt_file.
   */
  readonly besideBroken?: boolean;
  /** Of a consumer: called when another process asks it to stop. */
  readonly onStop?: () => void;
}

/** The owner of the store, which alone writes and answers the others: of a folder one process at a time. */
export interface Owner {
  /**
   * The status of the owner, when it is a consumer; nothing is read from disk.
   *
   * @returns null when no consumer owns it
   * @throws Failure owner_unreachable when the owner does not answer in time; read_failed when this user may not ask it
   */
  consumerStatus(): Promise<RunningConsumer | null>;
  /**
   * Asks the consumer that owns the store to finish and leave, and waits for it.
   *
   * @param options.kill ends one that does not, after making sure that it is the owner
   * @param options.instance of several only this one, `PID` or `HOST:PID`; by default all
   * @returns null when no consumer owns the store, or not that one
   * @throws Failure owner_unreachable
   */
  stopConsumer(options: { kill: boolean; instance?: string }): Promise<StoppedConsumer | null>;
  readonly processes: Processes;
  /**
   * Reserves a task that only one process at a time may do, until disposal or its end. Works beside an owner.
   *
   * @throws Failure folder_in_use (who is at it), write_failed
   */
  claim(task: 'redrive'): Promise<Claim>;
}

/** A task that is reserved. */
export interface Claim extends AsyncDisposable {
  /** To go on. @throws Failure store_unreachable: it is lost, and another process may be at the task */
  check(): Promise<void>;
}
