/** What a consumer says of itself while it runs. */
export interface ConsumerStatus {
  /** `starting`: before the first record is asked for; `stopping`: told to stop, finishing what is in hand. */
  readonly state: 'starting' | 'consuming' | 'waiting' | 'stopping';
  /** What it waits for, in state `waiting`. */
  readonly waitingFor: 'broker' | 'registry' | null;
  readonly topic: string;
  readonly group: string;
  /** Records decided or dead-lettered a second, over the last ten seconds. */
  readonly ordersPerSecond: number;
  /** Records behind the end, as the brokers told it last; null before they did. */
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
  /** Files that it does not take in as they are, and does not write until they are mended. */
  readonly brokenFiles: readonly BrokenFile[];
}

export interface BrokenFile {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Names file and line. */
  readonly message: string;
}

/** The consumer that owns a folder. */
export interface RunningConsumer {
  readonly pid: number;
  /** Since when it owns the folder, milliseconds since the epoch. */
  readonly startedAt: number;
  readonly status: ConsumerStatus;
}

/** An owner of a folder that was made to leave. */
export interface StoppedConsumer {
  readonly pid: number;
  /** It did not finish what it had in hand: the next owner recovers that. */
  readonly killed: boolean;
}
