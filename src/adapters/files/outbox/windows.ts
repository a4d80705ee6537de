import { Failure } from '../../../domain/failure.ts';
import type { Destination, Outgoing } from '../../../ports/store.ts';
import { segmentLog, type LogName } from '../layout.ts';
import { linesOf, type LogView } from '../logs/log.ts';
import { parseOutgoing } from './outgoing-line.ts';
import type { Place, Queues } from './queues.ts';

/** As many as are sent at once. */
const MOST_AT_ONCE = 2_000;
/** Of their lines: a record may have a MiB. */
const MOST_BYTES_AT_ONCE = 8 * 1024 * 1024;
/**
 * What comes while others are being sent stays in memory up to here: then it does not have to be read again. More than a
 * run lets wait for a destination that answers and one batch of orders leads to, so that those are never read.
 */
const MOST_KEPT = 40_000;
const MOST_BYTES_KEPT = 16 * 1024 * 1024;

/** One that waits, and where the line after it begins. */
export interface Waiting {
  readonly outgoing: Outgoing;
  readonly sizeBytes: number;
  readonly after: Place;
}

/** The next of one destination, in order. */
class Window {
  readonly waiting: Waiting[] = [];
  sizeBytes = 0;

  add(one: Waiting): void {
    this.waiting.push(one);
    this.sizeBytes += one.sizeBytes;
  }

  remove(count: number): void {
    for (const { sizeBytes } of this.waiting.splice(0, count)) this.sizeBytes -= sizeBytes;
  }

  get isFull(): boolean {
    return this.waiting.length >= MOST_KEPT || this.sizeBytes >= MOST_BYTES_KEPT;
  }
}

/** What is sent next, in memory; however much waits, it is few of each destination. */
export class Windows {
  readonly #queues: Queues;
  readonly #view: (log: LogName) => LogView;
  readonly #windows = new Map<Destination, Window>();

  /** @param view of a segment, up to where it is durable */
  constructor(queues: Queues, view: (log: LogName) => LogView) {
    this.#queues = queues;
    this.#view = view;
  }

  /** To be called when these are durable, before the queues know of them: what follows what is in memory stays there. */
  add(destination: Destination, landed: readonly Waiting[]): void {
    const window = this.#window(destination);
    const waiting = this.#queues.queued(destination) - this.#queues.sent(destination);
    if (window.waiting.length < waiting) return;
    for (const one of landed) {
      if (window.isFull) return;
      window.add(one);
    }
  }

  /** Those that are to be sent next: the same objects until they are. @throws Failure corrupt_state */
  next(destination: Destination): readonly Waiting[] {
    const window = this.#window(destination);
    const waiting = this.#queues.queued(destination) - this.#queues.sent(destination);
    const wanted = Math.min(waiting, MOST_AT_ONCE);
    if (window.waiting.length < wanted && window.sizeBytes < MOST_BYTES_AT_ONCE) {
      this.#read(destination, window, wanted);
    }
    let sizeBytes = 0;
    const end = window.waiting.findIndex((one) => (sizeBytes += one.sizeBytes) > MOST_BYTES_AT_ONCE);
    return window.waiting.slice(0, end === -1 ? MOST_AT_ONCE : Math.min(Math.max(end, 1), MOST_AT_ONCE));
  }

  /** Forgets the first `count` of `next`. @returns where the one after them begins */
  remove(destination: Destination, count: number): Place {
    const window = this.#window(destination);
    const last = window.waiting[count - 1];
    if (last === undefined) throw new Error(`fewer than ${count} wait for ${destination}`);
    window.remove(count);
    if (window.waiting.length === 0) this.#windows.delete(destination);
    return last.after;
  }

  #read(destination: Destination, window: Window, wanted: number): void {
    const from = window.waiting.at(-1)?.after ?? this.#queues.next(destination);
    for (const one of readWaiting(this.#queues, this.#view, destination, from)) {
      window.add(one);
      if (window.waiting.length >= wanted || window.sizeBytes >= MOST_BYTES_AT_ONCE) return;
    }
    if (window.waiting.length < wanted) throw tooShort(destination, wanted - window.waiting.length);
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

function damaged(how: string): Failure {
  return new Failure('corrupt_state', `what waits to be sent is damaged: ${how}`, {
    fix: 'restore the whole folder from a backup; what was decided since then is read again from Kafka',
  });
}

/** What waits for one destination from `from` on, read as it is asked for. @throws Failure corrupt_state */
function* readWaiting(
  queues: Queues,
  view: (log: LogName) => LogView,
  destination: Destination,
  from = queues.next(destination),
): Generator<Waiting> {
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

function outgoingOf(line: Buffer, segment: number): Outgoing {
  try {
    return parseOutgoing(line);
  } catch {
    throw damaged(`a line of outbox.${segment} cannot be read`);
  }
}

/** All that waits, of one destination after the other. @throws Failure corrupt_state */
export function* allWaiting(queues: Queues, view: (log: LogName) => LogView): Generator<Outgoing> {
  yield* queues.former();
  for (const [destination, count] of queues.waiting()) {
    let left = count;
    for (const { outgoing } of readWaiting(queues, view, destination)) {
      if (left-- === 0) break;
      yield outgoing;
    }
  }
}
