import type { KeptView, StoreAccess } from '../../ports/access.ts';
import type { BooksView, HistoryPlace } from '../../ports/health.ts';
import type { HistoryLine } from '../../ports/store.ts';
import { sumOf } from '../../views/sales-window.ts';
import { SalesWindows } from '../../views/sales-windows.ts';
import {
  allTime,
  BOARD_HOURS,
  everyHour,
  hourAt,
  lastHours,
  SALES_FACTS,
  takeAll,
  type SalesBoard,
} from './sales.ts';

/** The age at which a board is recomputed from the start, without hours that are too old by then. */
const GOOD_FOR_MS = 24 * 3_600_000;

/** Sales of all time, and by hour, up to a place in history: each line is read once. */
class RunningSales {
  readonly madeAt: number;
  readonly #hourly: SalesWindows;
  readonly #all = new SalesWindows({ windowAt: allTime });
  #place: HistoryPlace | null = null;

  constructor(now: number) {
    this.madeAt = now;
    this.#hourly = new SalesWindows({ windowAt: hourAt, from: lastHours(BOARD_HOURS, now).from });
  }

  /** @throws Failure changed_since, corrupt_state; the signal's reason; afterwards it must not be used again */
  async readOn(books: BooksView, signal: AbortSignal): Promise<void> {
    await this.take(books.historyFrom(this.#place, SALES_FACTS), signal);
    this.#place = books.place;
  }

  async take(history: AsyncIterable<readonly HistoryLine[]>, signal: AbortSignal): Promise<void> {
    await takeAll(history, [this.#hourly, this.#all], signal);
  }

  board(now: number): SalesBoard {
    return { hours: everyHour(this.#hourly, lastHours(BOARD_HOURS, now)), all: sumOf(this.#all.all()) };
  }
}

/** The sales of a store for callers that read them often: only lines since the last time are read. */
export class SalesBoardReader {
  readonly #access: Pick<StoreAccess, 'inspect' | 'read'>;
  readonly #view: KeptView;
  /** null: nothing was read, or a call is reading. */
  #running: RunningSales | null = null;

  constructor({
    access,
    view,
  }: {
    readonly access: Pick<StoreAccess, 'inspect' | 'read'>;
    readonly view: KeptView;
  }) {
    this.#access = access;
    this.#view = view;
  }

  /**
   * @throws Failure as the store; not_found: orders are archived, and their folder was not given; the signal's reason
   */
  async read(now: number, signal: AbortSignal): Promise<SalesBoard> {
    const known = this.#running;
    this.#running = null;
    const isGood = known !== null && now - known.madeAt < GOOD_FOR_MS;
    const running = isGood ? known : new RunningSales(now);
    const readOn = async (books: BooksView): Promise<true> => {
      await running.readOn(books, signal);
      return true;
    };
    const isRead = isGood ? await this.#view.lookAtBooks(readOn) : null;
    if (isRead === null) {
      await using store = await this.#access.inspect();
      if (store.archived() !== null) return await this.#withArchives(now, signal);
      await readOn(store);
    }
    this.#running = running;
    return running.board(now);
  }

  /**
   * An inspection has only sums of archived orders, without hours; a reader can read them if the archives are
   * available.
   */
  async #withArchives(now: number, signal: AbortSignal): Promise<SalesBoard> {
    await using reader = await this.#access.read();
    const sales = new RunningSales(now);
    await sales.take(reader.history(SALES_FACTS), signal);
    return sales.board(now);
  }
}
