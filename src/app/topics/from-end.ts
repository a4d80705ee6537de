import type { BrokerAdmin, BrokerRecord, PartitionRange } from '../../ports/broker.ts';

/** The most records that a page reads, however few of them match. */
const MOST_READ = 10_000;
/** How many records are fetched at once from a partition: few at first, since most pages need no more. */
const FIRST_PIECE = 100;
const LARGEST_PIECE = 2_000;
/**
 * A record that was sent twice after a crash is listed once, as the later copy. To recognize copies, a page that
 * continues a list also reads this many records after its start: more than are sent between two marks of sent messages.
 */
const COPIES_WITHIN = 4_000;

/** Where a list continues: the offset to continue before, by topic and partition. Missing partitions are finished. */
export type PageMark = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Whether a value is a valid mark: it comes from a client. */
export function isPageMark(value: unknown): value is PageMark {
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).every(
    (ofTopic: unknown) =>
      typeof ofTopic === 'object' &&
      ofTopic !== null &&
      Object.values(ofTopic).every((before) => Number.isSafeInteger(before) && before >= 0),
  );
}

/** The data that is kept of a record. */
export interface Row<T> {
  /** Milliseconds since the epoch; later rows are listed first. */
  readonly at: number;
  /** The same for both copies of a record that was sent twice. */
  readonly key: string;
  /** null: the row is not wanted. */
  readonly value: T | null;
}

export interface PageOptions<T> {
  /** By topic. */
  readonly ranges: ReadonlyMap<string, readonly PartitionRange[]>;
  /** null: start from the end. */
  readonly mark: PageMark | null;
  readonly limit: number;
  /** Returns one row for each record, and must not keep references to the bytes of the records. */
  readonly rowsOf: (
    topic: string,
    partition: number,
    records: readonly BrokerRecord[],
  ) => Promise<readonly Row<T>[]> | readonly Row<T>[];
  readonly signal?: AbortSignal;
}

export interface Page<T> {
  readonly rows: readonly T[];
  /** null: there are no earlier rows. */
  readonly next: PageMark | null;
}

/**
 * The latest records of topics, latest first, one page at a time. The cost of a page depends on the records it reads,
 * not on the size of the topics; it may have fewer rows than its limit, or none, when few records match.
 *
 * @throws Failure as BrokerAdmin.records; the signal's reason
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
  for (let read = 0; read < MOST_READ && rows.length < limit; read += 1) {
    const row = (await latest(sources))?.take();
    if (row === undefined) return { rows, next: null };
    signal?.throwIfAborted();
    const { key, value } = row;
    if (value !== null && !seen.has(key)) rows.push(value);
    seen.add(key);
  }
  return { rows, next: sources.some(({ isMore }) => isMore) ? markOf(sources) : null };
}

/** The source whose next record is the latest; undefined: no source has any left. */
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
      // A finished partition may still have the other of two copies.
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
  /** The offset at which the page starts. */
  readonly to: number;
  /** The offset at which the search for copies starts. */
  readonly from: number;
}

/** A partition that is read backwards from its end. */
class Source<T> {
  readonly topic: string;
  readonly partition: number;
  readonly to: number;
  readonly #start: number;
  readonly #admin: BrokerAdmin;
  readonly #options: PageOptions<T>;
  /** Ordered by offset; the last one is next. */
  #rows: (Row<T> & { readonly offset: number })[] = [];
  #fetchedFrom: number;
  #piece = FIRST_PIECE;
  /** Rows from this offset on have been taken. */
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

  /** The next row after the page, to be called before the first `take`; undefined: there are no more of these. */
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
