import { destinationOf, type Destination, type Outgoing } from '../../../ports/store.ts';
import type { FormerOutgoingLine, StateLine } from '../tables/state-line.ts';
import { decodeOutgoing } from './outgoing-line.ts';

/*
 * The outbox consists of segments: append-only logs `outbox.N`, each for one destination, so that messages refused by
 * one destination keep none for others on the disk. This file has what is known about the segments without reading
 * them, and what a snapshot records; it does not grow with the number of pending messages.
 */

/** Where the next line starts: at this byte of this segment, or at the start of the next one when nothing follows. */
export interface Place {
  readonly segment: number;
  readonly position: number;
}

/** Everything that was ever to be sent to one destination. */
interface Queue {
  /** In ascending order, without those that are no longer needed. */
  readonly segments: number[];
  queued: number;
  sent: number;
  next: Place;
}

export type QueueLine = Extract<StateLine, readonly ['segment' | 'queued' | 'drained', ...unknown[]]>;

export class Queues {
  readonly #queues = new Map<Destination, Queue>();
  /** The newest segment ever: numbers are not reused. */
  #lastSegment = 0;
  /** What a folder of an earlier format has yet to send, from its snapshot and journals, by number. */
  readonly #former = new Map<number, Outgoing>();

  get lastSegment(): number {
    return this.#lastSegment;
  }

  apply(line: QueueLine): void {
    switch (line[0]) {
      case 'segment': {
        const { segments } = this.#queue(line[2]);
        if (!segments.includes(line[1])) segments.push(line[1]);
        this.#lastSegment = Math.max(this.#lastSegment, line[1]);
        break;
      }
      case 'queued':
        this.#queue(line[1]).queued = line[2];
        break;
      case 'drained': {
        const queue = this.#queue(line[1]);
        queue.sent = line[2];
        queue.next = { segment: line[3], position: line[4] };
        this.#lastSegment = Math.max(this.#lastSegment, line[3]);
        break;
      }
    }
  }

  applyFormer(line: FormerOutgoingLine): void {
    if (line[0] === 'outgoing') {
      const { number, ...encoded } = line[1];
      this.#former.set(number, decodeOutgoing(encoded));
      return;
    }
    const [, number, destination] = line;
    for (const [other, outgoing] of this.#former) {
      const isOf = destination === undefined || destinationOf(outgoing) === destination;
      if (isOf && other <= number) this.#former.delete(other);
    }
  }

  /** What a folder of an earlier format has yet to send, in order. */
  former(): readonly Outgoing[] {
    return [...this.#former].sort(([a], [b]) => a - b).map(([, outgoing]) => outgoing);
  }

  /** Call this once `former` is in segments. */
  forgetFormer(): void {
    this.#former.clear();
  }

  /** The segment of the newest lines of a destination; undefined: none yet. */
  newestSegment(destination: Destination): number | undefined {
    return this.#queues.get(destination)?.segments.at(-1);
  }

  queued(destination: Destination): number {
    return this.#queues.get(destination)?.queued ?? 0;
  }

  sent(destination: Destination): number {
    return this.#queues.get(destination)?.sent ?? 0;
  }

  next(destination: Destination): Place {
    return this.#queues.get(destination)?.next ?? START;
  }

  /** The segments that have lines from `place` on, each with the position to read it from. */
  segmentsFrom(destination: Destination, { segment, position }: Place): readonly Place[] {
    const segments = this.#queues.get(destination)?.segments ?? [];
    return segments
      .filter((number) => number >= segment)
      .map((number) => ({ segment: number, position: number === segment ? position : 0 }));
  }

  /** How many messages are pending, by destination; destinations without any are left out. */
  waiting(): Map<Destination, number> {
    const waiting = new Map<Destination, number>();
    for (const [destination, { queued, sent }] of this.#queues) {
      if (queued > sent) waiting.set(destination, queued - sent);
    }
    for (const outgoing of this.#former.values()) {
      const destination = destinationOf(outgoing);
      waiting.set(destination, (waiting.get(destination) ?? 0) + 1);
    }
    return waiting;
  }

  /** Forgets the segments that are fully sent. @returns their numbers */
  dropSent(): readonly number[] {
    const dropped: number[] = [];
    for (const { segments, queued, sent, next } of this.#queues.values()) {
      const needed = queued === sent ? Infinity : next.segment;
      while ((segments[0] ?? Infinity) < needed) dropped.push(segments.shift() ?? NaN);
    }
    return dropped;
  }

  /** The lines that restore this state from scratch, as it is at the call. */
  snapshot(): readonly QueueLine[] {
    const lines: QueueLine[] = [];
    for (const [destination, { segments, queued, sent, next }] of this.#queues) {
      for (const number of segments) lines.push(['segment', number, destination]);
      lines.push(['queued', destination, queued]);
      lines.push(['drained', destination, sent, next.segment, next.position]);
    }
    return lines;
  }

  #queue(destination: Destination): Queue {
    let queue = this.#queues.get(destination);
    if (queue === undefined) {
      this.#queues.set(destination, (queue = { segments: [], queued: 0, sent: 0, next: START }));
    }
    return queue;
  }
}

const START: Place = { segment: 0, position: 0 };
