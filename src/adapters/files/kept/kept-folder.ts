import type { Clock } from '../../../ports/clock.ts';
import { isFailure } from '../../../domain/failure.ts';
import type { BooksView } from '../../../ports/health.ts';
import type { KeptView } from '../../../ports/access.ts';
import type { OrderReader, RowReader } from '../../../ports/store.ts';
import type { StoreNotice } from '../../../ports/notices.ts';
import type { FileSystem } from '../fs.ts';
import { FollowedFolder } from './followed-folder.ts';

/** Follows while no caller looks, so that the next look has little to read, and removed files are released. */
const FOLLOW_MS = 1_000;

/**
 * One view of a folder for all callers. It advances only while no caller looks at it, so that each look is at one
 * moment; a caller that finds it behind waits until the others have finished.
 */
export class KeptFolder implements KeptView {
  readonly #open: () => Promise<FollowedFolder>;
  #followed: FollowedFolder | null = null;
  #opening: Promise<void> | null = null;
  /** How many times opening it was started. */
  #opened = 0;
  #lookers = 0;
  #waiting: (() => void)[] = [];

  constructor(files: FileSystem, folder: string, clock: Clock, onNotice?: (notice: StoreNotice) => void) {
    this.#open = () => FollowedFolder.open(files, folder, clock, onNotice);
    setInterval(() => this.#follow(), FOLLOW_MS).unref();
  }

  #follow(): void {
    if (this.#lookers > 0) return;
    try {
      this.#try((followed) => followed.advance(false) && followed.goOnFromCheckpoint());
    } catch {
      // No caller waits for this: the next look opens the folder again and reports what is wrong.
    }
  }

  lookAtOrders<R>(use: (view: OrderReader) => Promise<R>): Promise<R> {
    return this.#look(use, false);
  }

  lookAtRows<R>(use: (view: RowReader) => Promise<R>): Promise<R> {
    return this.#look(use, true);
  }

  lookAtBooks<R>(use: (view: BooksView) => Promise<R>): Promise<R | null> {
    return this.#look(async (followed) => {
      const books = followed.books();
      return books === null ? null : await use(books);
    }, false);
  }

  async #look<R>(use: (view: FollowedFolder) => Promise<R>, withRows: boolean): Promise<R> {
    const view = await this.#enter(withRows);
    try {
      return await use(view);
    } finally {
      this.#lookers -= 1;
      if (this.#lookers === 0) for (const go of this.#waiting.splice(0)) go();
    }
  }

  /** Counts as a looker as soon as the view is found not to be behind. */
  async #enter(withRows: boolean): Promise<FollowedFolder> {
    const opened = this.#opened;
    for (;;) {
      const followed = this.#followed;
      if (followed === null) await (this.#opening ??= this.#openAgain());
      // A view whose opening started after the call will do: with an edit that is not applied yet it falls behind at
      // once.
      else if (this.#opened > opened || this.#isCurrent(followed, withRows)) {
        this.#lookers += 1;
        return followed;
      } else if (this.#lookers > 0) await new Promise<void>((go) => this.#waiting.push(go));
    }
  }

  #isCurrent(followed: FollowedFolder, withRows: boolean): boolean {
    return this.#lookers > 0 ? !followed.hasChanged(withRows) : this.#try(() => followed.advance(withRows));
  }

  /** @returns false: the folder must be opened */
  #try(moveOn: (followed: FollowedFolder) => boolean): boolean {
    const followed = this.#followed;
    if (followed === null) return false;
    let isCurrent = false;
    try {
      isCurrent = moveOn(followed);
    } catch (error) {
      // Opening the folder again finds what is wrong, if anything is.
      if (!isFailure(error)) throw error;
    } finally {
      if (!isCurrent) {
        this.#followed = null;
        followed.close();
      }
    }
    return isCurrent;
  }

  async #openAgain(): Promise<void> {
    this.#opened += 1;
    try {
      this.#followed = await this.#open();
    } finally {
      this.#opening = null;
    }
  }
}
