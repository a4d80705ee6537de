import type { BrokerAdmin, BrokerRecord, PartitionRange } from '../../ports/broker.ts';

/** A page looks at so many records at most, however few of them it is after. */
const LOOKED_AT = 10_000;
/** Records fetched at once of one partition: few at first, since most pages need no more. */
const FIRST_PIECE = 100;
const LARGEST_PIECE = 2_000;
/**
 * A record that was sent twice after a crash is listed once, as the later of the two. A page that goes on looks at so
 * many records after its beginning for that: more than are sent between two marks of what was sent.
 */
const COPIES_WITHIN = 4_000;

/** Where a list goes on: by topic and partition, the offset before which it continues. What is left out is at its end. */
export type PageMark = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Whether a value is such a mark: it has been with a client. */
export function isPageMark(value: unknown): value is PageMark {
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).every(
    (ofTopic: unknown) =>
      typeof ofTopic === 'object' &&
      ofTopic !== null &&
      Object.values(ofTopic).every((before) => Number.isSafeInteger(before) && before >= 0),
  );
}

/** What is kept of a record. */
export interface Row<T> {
  /** Milliseconds since the epoch: the later, the earlier in the list. */
  readonly at: number;
  /** The same of a record that was sent twice. */
  readonly key: string;
  /** null: it is not asked for. */
  readonly value: T | null;
}

export interface PageOptions<T> {
  /** By topic. */
  readonly ranges: ReadonlyMap<string, readonly PartitionRange[]>;
  /** null: from the end. */
  readonly mark: PageMark | null;
  readonly limit: number;
  /** Of each record one; it keeps no bytes of them. */
  readonly rowsOf: (
    topic: string,
    partition: number,
    records: readonly BrokerRecord[],
  ) => Promise<readonly Row<T>[]> | readonly Row<T>[];
  readonly signal?: AbortSignal;
}

export interface Page<T> {
  readonly rows: readonly T[];
  /** null: there is nothing before these. */
  readonly next: PageMark | null;
}

/**
 * The latest records of topics, the latest first, a page at a time: a page costs what it looks at, not what there is, and
 * may be short of its limit, or empty, where few records are asked for.
 *
 * @throws Failure of BrokerAdmin.records; the signal's reason
 */
export async function pageFromEnd<T>(admin: BrokerAdmin, options: PageOptions<T>): Promise<Page<T>> {
  const { limit, signal } = options;
  const sources = sourcesOf(admin, options);
  const seen = new Set<string>();
  for (const source of sources) {
    for (let row = await source.takeAhead(); row !== undefined; row = await source.takeAhead())
      seen.add(row.key);
  }
  const rows: T[] = [];
  for (let looked = 0; looked < LOOKED_AT && rows.length < limit; looked += 1) {
    const row = (await latest(sources))?.take();
    if (row === undefined) return { rows, next: null };
    signal?.throwIfAborted();
    const { key, value } = row;
    if (value !== null && !seen.has(key)) rows.push(value);
    seen.add(key);
  }
  return { rows, next: sources.some(({ isMore }) => isMore) ? markOf(sources) : null };
}

/** The one whose next record is the latest; undefined: none has any. */
async function latest<T>(sources: readonly Source<T>[]): Promise<Source<T> | undefined> {
  let found: Source<T> | undefined;
  for (const source of sources) {
    await source.fill();
    if (source.head === undefined) continue;
    if (found?.head === undefined || source.head.at > found.head.at) found = source;
  }
  return found;
}

function sourcesOf<T>(admin: BrokerAdmin, options: PageOptions<T>): Source<T>[] {
  const { ranges, mark } = options;
  return [...ranges].flatMap(([topic, ofTopic]) =>
    ofTopic.flatMap(({ partition, start, end }) => {
      const to = mark === null ? end : Math.min(mark[topic]?.[partition] ?? 0, end);
      const from = mark === null ? end : Math.min(to + COPIES_WITHIN, end);
      // One that is at its end may have the other of two copies.
      return end > start ? [new Source(admin, options, { topic, partition, start, to, from })] : [];
    }),
  );
}

function markOf(sources: readonly Source<unknown>[]): PageMark {
  const mark: Record<string, Record<string, number>> = {};
  for (const { topic, partition, before, to, isMore } of sources) {
    if (isMore) (mark[topic] ??= {})[partition] = Math.min(before, to);
  }
  return mark;
}

interface Place {
  readonly topic: string;
  readonly partition: number;
  readonly start: number;
  /** Where the page begins. */
  readonly to: number;
  /** Where looking for copies begins. */
  readonly from: number;
}

/** A partition, read from its end back. */
class Source<T> {
  readonly topic: string;
  readonly partition: number;
  readonly to: number;
  readonly #start: number;
  readonly #admin: BrokerAdmin;
  readonly #options: PageOptions<T>;
  /** In the order of their offsets; the last one is next. */
  #rows: (Row<T> & { readonly offset: number })[] = [];
  #fetchedFrom: number;
  #piece = FIRST_PIECE;
  /** The offset before which nothing was taken. */
  before: number;

  constructor(admin: BrokerAdmin, options: PageOptions<T>, { topic, partition, start, to, from }: Place) {
    this.topic = topic;
    this.partition = partition;
    this.to = to;
    this.#start = start;
    this.#admin = admin;
    this.#options = options;
    this.#fetchedFrom = from;
    this.before = from;
  }

  get head(): Row<T> | undefined {
    return this.#rows.at(-1);
  }

  get isMore(): boolean {
    return this.#rows.length > 0 || this.#fetchedFrom > this.#start;
  }

  take(): Row<T> | undefined {
    const head = this.#rows.pop();
    if (head !== undefined) this.before = head.offset;
    return head;
  }

  /** What comes after the page, before its first `take`; undefined: no more of that. */
  async takeAhead(): Promise<Row<T> | undefined> {
    if (this.before <= this.to) return undefined;
    await this.fill();
    const head = this.#rows.at(-1);
    return head !== undefined && head.offset >= this.to ? this.take() : undefined;
  }

  async fill(): Promise<void> {
    while (this.head === undefined && this.#fetchedFrom > this.#start) await this.#fetch();
  }

  async #fetch(): Promise<void> {
    const { rowsOf, signal } = this.#options;
    const to = this.#fetchedFrom;
    const from = Math.max(this.#start, to - this.#piece);
    this.#piece = Math.min(2 * this.#piece, LARGEST_PIECE);
    const ranges = [{ partition: this.partition, from, to }];
    for await (const { records } of this.#admin.records(this.topic, ranges, signal)) {
      const rows = await rowsOf(this.topic, this.partition, records);
      for (const [at, { offset }] of records.entries()) {
        const row = rows[at];
        if (row !== undefined) this.#rows.push({ ...row, offset });
      }
    }
    this.#fetchedFrom = from;
    if (this.head === undefined) this.before = from;
  }
}
