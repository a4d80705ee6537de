import { destinationOf, type Destination, type Outgoing } from '../../../ports/store.ts';
import { segmentLog, type LogName } from '../layout.ts';
import type { Logs } from '../logs/logs.ts';
import { TextBytes } from '../logs/text-bytes.ts';
import { renderOutgoing } from './outgoing-line.ts';
import type { QueueLine, Queues } from './queues.ts';
import { Windows, type WaitingLine } from './windows.ts';

/** The size at which the next segment starts: a segment is kept as a whole until all of it is sent. */
const SEGMENT_BYTES = 32 * 1024 * 1024;

/** What one commit leaves to be sent to one destination, encoded. */
export interface Leaving {
  readonly log: LogName;
  readonly parts: readonly Uint8Array[];
  readonly lines: readonly QueueLine[];
}

interface Staged {
  queued: number;
  readonly waiting: WaitingLine[];
}

/**
 * The outbox, for the owner of the folder: commits put messages into segments, and they are sent once they are durable.
 */
export class OwnedOutbox {
  readonly #queues: Queues;
  readonly #windows: Windows;
  readonly #logs: Pick<Logs, 'sizeOf' | 'view' | 'drop'>;
  readonly #segmentBytes: number;
  readonly #staged = new Map<Destination, Staged>();

  constructor(queues: Queues, logs: Pick<Logs, 'sizeOf' | 'view' | 'drop'>, segmentBytes = SEGMENT_BYTES) {
    this.#queues = queues;
    this.#logs = logs;
    this.#segmentBytes = segmentBytes;
    this.#windows = new Windows(queues, (log) => logs.view(log));
  }

  /** What is to be sent next: the same objects until they are sent. @throws Failure corrupt_state */
  next(destination: Destination): readonly Outgoing[] {
    return this.#windows.next(destination);
  }

  /** Call this when the first `count` of `next` are sent. @returns the line that records that */
  sent(destination: Destination, count: number): QueueLine {
    const { segment, position } = this.#windows.remove(destination, count);
    return ['drained', destination, this.#queues.sent(destination) + count, segment, position];
  }

  /** Drops the segments that are fully sent, which the next checkpoint will not name. */
  dropSent(): void {
    this.#logs.drop(this.#queues.dropSent().map(segmentLog));
  }

  stage(outgoing: readonly Outgoing[]): readonly Leaving[] {
    if (outgoing.length === 0) return [];
    const byDestination = new Map<Destination, Outgoing[]>();
    for (const one of outgoing) {
      const destination = destinationOf(one);
      const same = byDestination.get(destination);
      if (same === undefined) byDestination.set(destination, [one]);
      else same.push(one);
    }
    return Array.from(byDestination, ([destination, ones]) => this.#stageOf(destination, ones));
  }

  #stageOf(destination: Destination, ones: readonly Outgoing[]): Leaving {
    const lines: QueueLine[] = [];
    let segment = this.#queues.newestSegment(destination);
    if (segment === undefined || this.#logs.sizeOf(segmentLog(segment)) >= this.#segmentBytes) {
      segment = this.#queues.lastSegment + 1;
      const line: QueueLine = ['segment', segment, destination];
      // It has no effect while nothing is queued in it.
      this.#queues.apply(line);
      lines.push(line);
    }
    const log = segmentLog(segment);
    const staged = this.#stagedOf(destination);
    let position = this.#logs.sizeOf(log);
    const bytes = new TextBytes();
    for (const { text, outgoing } of renderOutgoing(ones)) {
      const sizeBytes = bytes.add(text);
      position += sizeBytes;
      staged.waiting.push({ outgoing, sizeBytes, after: { segment, position } });
    }
    staged.queued += ones.length;
    lines.push(['queued', destination, staged.queued]);
    return { log, parts: bytes.end(), lines };
  }

  #stagedOf(destination: Destination): Staged {
    let staged = this.#staged.get(destination);
    if (staged === undefined) {
      staged = { queued: this.#queues.queued(destination), waiting: [] };
      this.#staged.set(destination, staged);
    }
    return staged;
  }

  /** Call this when what was staged is durable. */
  land(): void {
    for (const [destination, { queued, waiting }] of this.#staged) {
      this.#windows.add(destination, waiting);
      this.#queues.apply(['queued', destination, queued]);
    }
    this.#staged.clear();
  }
}
