import type { Advice } from '../domain/advice.ts';
import type { Edit, EditVia } from '../domain/edit.ts';
import type { ProcessorName } from '../domain/messages/message.ts';
import type { State, StateChanges } from '../domain/state.ts';
import type { StoreNotice } from './notices.ts';
import type { Processes } from './processes.ts';
import type { Source } from './store.ts';

/**
 * What a run may wait for. `store`: its database; `others`: processes that share the store, until they have sent the
 * messages they have taken over.
 */
export type Awaited = 'broker' | 'registry' | 'store' | 'others';

/** The status that a running consumer reports. */
export interface ConsumerStatus {
  /** `starting`: before the first fetch; `stopping`: finishing the work in hand. */
  readonly state: 'starting' | 'consuming' | 'waiting' | 'stopping';
  /** In state `waiting`, what it waits for. */
  readonly waitingFor: Awaited | null;
  readonly topic: string;
  readonly group: string;
  /** Records decided or dead-lettered per second, over the last ten seconds. */
  readonly ordersPerSecond: number;
  /** Number of records behind the end, by the last answer of the brokers; null before the first answer. */
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
  /** The running processors. The fields above are those of `orders`, or of the first one. */
  readonly processors: readonly ProcessorStatus[];
  /** Broken files, which are neither merged nor written until they are fixed. */
  readonly brokenFiles: readonly BrokenFile[];
}

/** The status of a running processor; fields as in ConsumerStatus. */
export interface ProcessorStatus {
  readonly name: ProcessorName;
  readonly group: string;
  readonly topics: readonly string[];
  /** The partitions that this instance reads, and its progress; other instances may read the rest. */
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
  /** Contains the file and line. */
  readonly message: string;
  /** Absent from consumers of earlier versions. */
  readonly fix?: Advice | null;
}

/** The consumer that owns a store. If several do, their combined status with the pid of the oldest. */
export interface RunningConsumer {
  readonly pid: number;
  /** When it became the owner, in milliseconds since the epoch. */
  readonly startedAt: number;
  readonly status: ConsumerStatus;
  /** All consumers that own the store at the same time; absent if the store allows only one. */
  readonly instances?: readonly RunningInstance[];
}

/** One of the processes that consume on a store. */
export interface RunningInstance {
  readonly pid: number;
  /** Host name of its machine. */
  readonly host: string;
  readonly startedAt: number;
  /** `silent`: running, but not answering. */
  readonly state: ConsumerStatus['state'] | 'silent';
  /** The processors it runs; empty if it is silent. */
  readonly processors: readonly ProcessorName[];
  readonly partitions: readonly Source[];
}

/** A stopped owner. If there were several: the pid of the oldest, and whether any was killed. */
export interface StoppedConsumer {
  readonly pid: number;
  /** It did not finish its work in hand; the next owner recovers it. */
  readonly killed: boolean;
  /** As in RunningConsumer. */
  readonly instances?: readonly { readonly pid: number; readonly host: string; readonly killed: boolean }[];
}

export interface OwnOptions {
  /** What the owner does, such as `consume`, for messages to other processes that need the store. */
  readonly purpose: string;
  /** The origin that is logged for edits in its transactions. */
  readonly via: EditVia;
  readonly onNotice: (notice: StoreNotice) => void;
  /**
   * Returns further changes caused by edits of users and items, which are committed together with them. Called for
   * edits of all processes. Must be pure.
   *
   * @param state the state before the edits
   */
  readonly onEdits?: (edits: readonly Edit[], state: State) => Pick<StateChanges, 'small' | 'outgoing'>;
  /** Called after each commit, whatever its cause, that added messages to send or pending effects. */
  readonly onOwed?: () => void;
  /** Called after each sync that made commits durable, with the time that the disk or the database took. */
  readonly onSynced?: (seconds: number) => void;
  /**
   * Called once when nothing can be stored any more, for example because a CSV could not be written in the background
   * or an edit by another process failed. The owner must give up the store.
   */
  readonly onFailure?: (failure: Error) => void;
  /** For a consumer: answers `consumerStatus` of other processes, at any time. */
  readonly status?: () => ConsumerStatus;
  /** No other process may own the store at the same time, even if the store allows several owners. */
  readonly isAlone?: boolean;
  /**
   * Called repeatedly while a store that was reachable before is unreachable, such as a restarting database, then with
   * null when it is back. Calls to the store do not fail before `awayLimitMs`.
   */
  readonly onAway?: (failure: Error | null) => void;
  /** How long calls wait for an unreachable store; null: forever; default: not at all. */
  readonly awayLimitMs?: number | null;
  /** After it aborts, no call waits for an unreachable store. */
  readonly signal?: AbortSignal;
  /** Give the store, a copy of another one, a new id, which is durable when `own` resolves. */
  readonly newId?: boolean;
  /** If a CSV is broken, use its last good values and leave the file unchanged instead of failing with corrupt_file. */
  readonly besideBroken?: boolean;
  /** For a consumer: called when another process requests it to stop. */
  readonly onStop?: () => void;
}

/** The owner of a store, which alone writes it and answers other processes. A folder has one owner at a time. */
export interface Owner {
  /**
   * The status of the owner, if it is a consumer. Nothing is read from disk.
   *
   * @returns null if no consumer owns the store
   * @throws Failure owner_unreachable (the owner does not answer in time), read_failed (this user has no permission)
   */
  consumerStatus(): Promise<RunningConsumer | null>;
  /**
   * Requests the consumer that owns the store to stop, and waits for it.
   *
   * @param options.kill kill a consumer that does not stop, after verifying that it is the owner
   * @param options.instance stop only this instance, `PID` or `HOST:PID`; default: all
   * @returns null if no consumer, or not the given instance, owns the store
   * @throws Failure owner_unreachable
   */
  stopConsumer(options: { kill: boolean; instance?: string }): Promise<StoppedConsumer | null>;
  readonly processes: Processes;
  /**
   * Reserves a task that only one process at a time may do, until the claim is disposed or the process ends. Works
   * while another process owns the store.
   *
   * @throws Failure folder_in_use (names the process that has the task), write_failed
   */
  claim(task: 'redrive'): Promise<Claim>;
}

/** A reserved task. */
export interface Claim extends AsyncDisposable {
  /**
   * Checks the claim before continuing.
   *
   * @throws Failure store_unreachable: it is lost, another process may have the task
   */
  check(): Promise<void>;
}
