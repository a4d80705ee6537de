import { Failure } from '../../../domain/failure.ts';
import type { Destination, Outgoing } from '../../../ports/store.ts';
import { segmentLog, type LogName } from '../layout.ts';
import { linesOf, type LogView } from '../logs/log.ts';
import { parseOutgoing } from './outgoing-line.ts';
import type { Place, Queues } from './queues.ts';

/** The most messages that are sent at once. */
const MOST_AT_ONCE = 2_000;
/** The most bytes of their lines: a record may have 1 MiB. */
const MOST_BYTES_AT_ONCE = 8 * 1024 * 1024;
/**
 * Messages that arrive while others are being sent stay in memory up to this number, so that they need not be read
 * again. It is more than a run leaves pending for a destination that answers plus what one batch of orders leads to, so
 * that those are never read.
 */
const MOST_KEPT = 40_000;
const MOST_BYTES_KEPT = 16 * 1024 * 1024;

/** A line with pending messages, and where the line after it starts. */
export interface WaitingLine {
  readonly outgoing: readonly Outgoing[];
  readonly sizeBytes: number;
  readonly after: Place;
}

/** The next lines of one destination, in order. */
class Window {
  readonly lines: WaitingLine[] = [];
  /** The number of messages. */
  count = 0;
  sizeBytes = 0;

  add(line: WaitingLine): void {
    this.lines.push(line);
    this.count += line.outgoing.length;
    this.sizeBytes += line.sizeBytes;
  }

  /** Removes whole lines, since whole lines are sent. @returns where the next one starts */
  remove(count: number): Place {
    let left = count;
    let lines = 0;
    while (left > 0) left -= this.lines[lines++]?.outgoing.length ?? Infinity;
    const removed = this.lines.splice(0, lines);
    const last = removed.at(-1);
    if (left !== 0 || last === undefined) throw new Error(`${count} messages are not whole lines`);
    for (const { sizeBytes } of removed) this.sizeBytes -= sizeBytes;
    this.count -= count;
    return last.after;
  }

  get isFull(): boolean {
    return this.count >= MOST_KEPT || this.sizeBytes >= MOST_BYTES_KEPT;
  }
}

/** What is sent next, in memory: a limited number for each destination, however many are pending. */
export class Windows {
  readonly #queues: Queues;
  readonly #view: (log: LogName) => LogView;
  readonly #windows = new Map<Destination, Window>();

  /** @param view a segment as far as it is durable */
  constructor(queues: Queues, view: (log: LogName) => LogView) {
    this.#queues = queues;
    this.#view = view;
  }

  /**
   * Call this when the lines are durable, before the queues count them: lines that follow those in memory stay there.
   */
  add(destination: Destination, landed: readonly WaitingLine[]): void {
    const window = this.#window(destination);
    if (window.count < this.#waiting(destination)) return;
    for (const line of landed) {
      if (window.isFull) return;
      window.add(line);
    }
  }

  /** What is to be sent next: the same objects until they are sent. @throws Failure corrupt_state */
  next(destination: Destination): readonly Outgoing[] {
    const window = this.#window(destination);
    const wanted = Math.min(this.#waiting(destination), MOST_AT_ONCE);
    if (window.count < wanted && window.sizeBytes < MOST_BYTES_AT_ONCE) {
      this.#read(destination, window, wanted);
    }
    const next: Outgoing[] = [];
    let left = MOST_BYTES_AT_ONCE;
    for (const { outgoing, sizeBytes } of window.lines) {
      left -= sizeBytes;
      if (next.length > 0 && (left < 0 || next.length + outgoing.length > MOST_AT_ONCE)) break;
      next.push(...outgoing);
    }
    return next;
  }

  /** Forgets the first `count`, all of what `next` returned. @returns where the one after them starts */
  remove(destination: Destination, count: number): Place {
    const window = this.#window(destination);
    const after = window.remove(count);
    if (window.count === 0) this.#windows.delete(destination);
    return after;
  }

  #waiting(destination: Destination): number {
    return this.#queues.queued(destination) - this.#queues.sent(destination);
  }

  #read(destination: Destination, window: Window, wanted: number): void {
    const from = window.lines.at(-1)?.after ?? this.#queues.next(destination);
    for (const line of readWaiting(this.#queues, this.#view, destination, from)) {
      window.add(line);
      if (window.count >= wanted || window.sizeBytes >= MOST_BYTES_AT_ONCE) return;
    }
    if (window.count < wanted) throw tooShort(destination, wanted - window.count);
  }

  #window(destination: Destination): Window {
    let window = this.#windows.get(destination);
    if (window === undefined) this.#windows.set(destination, (window = new Window()));
    return window;
  }
}

function tooShort(destination: Destination, missing: number): Failure {
  return damaged(`${missing} messages to ${destination} are missing`);
}

function damaged(reason: string): Failure {
  return new Failure('corrupt_state', `the outbox is damaged: ${reason}`, {
    fix: 'restore the whole folder from a backup; orders read since then are read again from Kafka',
  });
}

/** The pending lines of one destination from `from` on, read as they are requested. @throws Failure corrupt_state */
function* readWaiting(
  queues: Queues,
  view: (log: LogName) => LogView,
  destination: Destination,
  from = queues.next(destination),
): Generator<WaitingLine> {
  for (const { segment, position } of queues.segmentsFrom(destination, from)) {
    let end = position;
    for (const chunk of view(segmentLog(segment)).chunks(position)) {
      for (const { line } of linesOf(chunk)) {
        end += line.byteLength + 1;
        yield {
          outgoing: outgoingOf(line, segment),
          sizeBytes: line.byteLength + 1,
          after: { segment, position: end },
        };
      }
    }
  }
}

function outgoingOf(line: Buffer, segment: number): readonly Outgoing[] {
  try {
    return parseOutgoing(line);
  } catch {
    throw damaged(`a line of outbox.${segment} cannot be read`);
  }
}

/** Everything pending, one destination after the other. @throws Failure corrupt_state */
export function* allWaiting(queues: Queues, view: (log: LogName) => LogView): Generator<Outgoing> {
  yield* queues.former();
  for (const [destination, count] of queues.waiting()) {
    let left = count;
    for (const { outgoing } of readWaiting(queues, view, destination)) {
      if (left <= 0) break;
      yield* outgoing;
      left -= outgoing.length;
    }
  }
}
