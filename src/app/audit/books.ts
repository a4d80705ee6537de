import type { Decided } from '../../domain/orders/decided.ts';
import { difference, type Difference } from '../../domain/difference.ts';
import type { LoggedEdit } from '../../domain/edit.ts';
import type { RecordId } from '../../domain/orders/order.ts';
import type { User } from '../../domain/tables.ts';
import type { Courses } from '../offsets/skips.ts';

/** Follows users from edit to edit. */
export class UserBooks {
  readonly #users = new Map<string, User | null>();
  readonly #report: (found: Difference) => void;

  constructor(report: (found: Difference) => void) {
    this.#report = report;
  }

  get size(): number {
    return this.#users.size;
  }

  edit({ user, before, after }: Extract<LoggedEdit, { kind: 'user' }>, where: string): void {
    const expected = this.#users.get(user)?.status ?? null;
    const actual = before?.status ?? null;
    if (expected !== actual) {
      const message = `${where}: an edit of user ${user} starts from ${actual ?? 'none'}, but the previous edit left ${expected ?? 'none'}`;
      this.#report(difference('edit_mismatch', where, { expected, actual, message }));
    }
    this.#users.set(user, after);
  }

  close(rows: Iterable<User>, whereRow: (user: string) => string): void {
    const left = new Map(this.#users);
    const compare = (user: string, found: User | null): void => {
      const expected = this.#users.get(user)?.status ?? null;
      const actual = found?.status ?? null;
      if (expected === actual) return;
      const message = `user ${user} is ${actual ?? 'missing'}; according to the edits it is ${expected ?? 'missing'}`;
      this.#report(difference('user_mismatch', whereRow(user), { expected, actual, message }));
    };
    for (const row of rows) {
      left.delete(row.user);
      compare(row.user, row);
    }
    for (const user of left.keys()) compare(user, null);
  }
}

interface FurthestRecord extends RecordId {
  offset: number;
  file: string;
  line: number;
  orderId: string;
}

/** The last record with a decision in each partition. */
export class Furthest {
  readonly #records = new Map<string, FurthestRecord>();
  #last: FurthestRecord | undefined;

  take({ record, order }: Decided, file: string, line: number): void {
    const { topic, partition, offset } = record;
    // All records of a batch are from one partition.
    if (this.#last?.partition !== partition || this.#last.topic !== topic) {
      const key = `${topic}/${partition}`;
      this.#last = this.#records.get(key) ?? { topic, partition, offset: -1, file, line, orderId: '' };
      this.#records.set(key, this.#last);
    }
    if (offset <= this.#last.offset) return;
    this.#last.offset = offset;
    this.#last.file = file;
    this.#last.line = line;
    this.#last.orderId = order.orderId;
  }

  /** A decision is committed together with the position after its record, so no decision is beyond the position. */
  close(courses: Courses, report: (found: Difference) => void): void {
    for (const { topic, partition, offset, file, line, orderId } of this.#records.values()) {
      const reached = courses.furthest({ processor: 'orders', topic, partition }) ?? 0;
      if (offset < reached) continue;
      const where = `${file}:${line}`;
      const message = `${where}: order ${orderId} was decided on ${topic}/${partition}@${offset}, but the stored position never went beyond ${reached}`;
      report(difference('position_mismatch', where, { orderId, expected: reached, actual: offset, message }));
    }
  }
}
