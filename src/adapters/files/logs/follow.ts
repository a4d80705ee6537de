import path from 'node:path';
import type { Decided } from '../../../domain/orders/decided.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { NewDecisions } from '../../../ports/store.ts';
import type { FileSystem } from '../fs.ts';
import { fileOfLog, LOG_OF } from '../layout.ts';
import { openOrUndefined } from '../whole-files.ts';
import { linesOf, LogView } from './log.ts';
import { parseDecided } from './order-line.ts';

/** Soon enough for a reader; looking costs two calls. */
const LOOK_MS = 200;

/**
 * Yields what an owner appends to the logs of decisions from the given positions on. Lines are written once the
 * journal is synced, so none is ever undone; after a crash the next owner writes the same bytes again.
 */
export async function* followDecisions(
  files: FileSystem,
  folder: string,
  ends: Readonly<Record<'accepted' | 'rejected', number>>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): AsyncGenerator<NewDecisions> {
  const follow = (outcome: 'accepted' | 'rejected'): Follower =>
    new Follower(files, path.join(folder, fileOfLog(LOG_OF[outcome])), ends[outcome]);
  using accepted = follow('accepted');
  using rejected = follow('rejected');
  while (!signal.aborted) {
    const found = { accepted: accepted.next(), rejected: rejected.next() };
    if (found.accepted.length + found.rejected.length > 0) yield found;
    else await clock.sleep(LOOK_MS, signal);
  }
}

/** One log, from a position on. */
class Follower implements Disposable {
  readonly #files: FileSystem;
  readonly #path: string;
  #fd: number | undefined;
  #position: number;

  constructor(files: FileSystem, name: string, position: number) {
    this.#files = files;
    this.#path = name;
    this.#position = position;
  }

  /** Whole lines that were added since, at most a chunk of them. */
  next(): readonly Decided[] {
    // A folder in which nothing was decided yet has no logs.
    this.#fd ??= openOrUndefined(this.#files, this.#path);
    if (this.#fd === undefined) return [];
    const { sizeBytes } = this.#files.statOpen(this.#fd);
    const view = new LogView(this.#files, [{ fd: this.#fd, at: 0, position: 0, sizeBytes }]);
    for (const chunk of view.chunks(this.#position)) {
      const lines = Array.from(linesOf(chunk), ({ line }) => parseDecided(line));
      this.#position += chunk.byteLength;
      return lines;
    }
    return [];
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) this.#files.close(this.#fd);
  }
}
