import fs from 'node:fs';
import path from 'node:path';
import { firstIndex } from './flow.ts';

export interface Decision {
  readonly orderId: string;
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

interface Line {
  readonly order_id: string;
  readonly partition: number;
  readonly offset: number;
  readonly accepted_at?: string;
  readonly rejected_at?: string;
}

/** One of orderctl's logs, read while it grows. */
class Log {
  readonly #path: string;
  /** In order of offsets, as read by a consumer that is never moved back. */
  readonly decisions = new Map<number, Decision[]>();
  count = 0;
  #at = 0;
  #rest = '';

  constructor(file: string) {
    this.#path = file;
  }

  read(): void {
    if (!fs.existsSync(this.#path)) return;
    const fd = fs.openSync(this.#path, 'r');
    const bytes = Buffer.alloc(Math.max(fs.fstatSync(fd).size - this.#at, 0));
    const got = fs.readSync(fd, bytes, 0, bytes.length, this.#at);
    fs.closeSync(fd);
    this.#at += got;
    const lines = (this.#rest + bytes.toString('latin1', 0, got)).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const text of lines) this.#add(JSON.parse(text) as Line);
  }

  #add({ order_id: orderId, partition, offset, accepted_at, rejected_at }: Line): void {
    const decision = { orderId, offset, at: Date.parse(accepted_at ?? rejected_at ?? '') };
    const known = this.decisions.get(partition);
    if (known === undefined) this.decisions.set(partition, [decision]);
    else known.push(decision);
    this.count += 1;
  }
}

/** The decisions of a consumer and their times, from its logs. */
export class Decisions {
  readonly #logs: readonly Log[];

  constructor(storage: string) {
    this.#logs = ['orders.jsonl', 'rejections.jsonl'].map((name) => new Log(path.join(storage, name)));
  }

  get count(): number {
    return this.#read().reduce((sum, { count }) => sum + count, 0);
  }

  ids(): string[] {
    return this.#read().flatMap(({ decisions }) =>
      [...decisions.values()].flatMap((all) => all.map(({ orderId }) => orderId)),
    );
  }

  /** The decision on the first decided record of a partition from an offset on. */
  from(partition: number, offset: number): Decision | undefined {
    const found = this.#read().flatMap(({ decisions }) => {
      const all = decisions.get(partition) ?? [];
      return all[firstIndex(all, (one) => one.offset >= offset)] ?? [];
    });
    return found.sort((a, b) => a.offset - b.offset)[0];
  }

  #read(): readonly Log[] {
    for (const log of this.#logs) log.read();
    return this.#logs;
  }
}
