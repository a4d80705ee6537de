import { isFailure } from '../../../domain/failure.ts';
import type { FileSystem } from '../fs.ts';
import { openIdIndex, type IdIndex } from '../ids/index.ts';
import type { IndexedLog } from '../ids/indexed-logs.ts';
import { addLines, rebuildIndex, type ViewOf } from '../ids/lookup.ts';
import type { FolderState } from '../journal/checkpoint.ts';
import type { LogName } from '../layout.ts';

/** The index of a folder that grows: the runs of a checkpoint, and in memory the lines added after it. */
export class KeptIndex {
  readonly #files: FileSystem;
  readonly #inner: string;
  readonly #logs: () => readonly IndexedLog[];
  readonly #view: ViewOf;
  #index: IdIndex;
  /** Up to which position it has the lines of each log. */
  #indexed = new Map<LogName, number>();

  /**
   * @param inner the `.orderctl` folder
   * @param view a log including everything committed
   */
  constructor(
    files: FileSystem,
    inner: string,
    state: FolderState,
    { logs, view }: { readonly logs: () => readonly IndexedLog[]; readonly view: ViewOf },
  ) {
    this.#files = files;
    this.#inner = inner;
    this.#logs = logs;
    this.#view = view;
    try {
      this.#index = this.#openRuns(state);
    } catch (error) {
      if (!isFailure(error, 'corrupt_state')) throw error;
      this.#index = this.rebuilt();
    }
  }

  #openRuns({ ids, logs }: FolderState): IdIndex {
    const index = openIdIndex(this.#files, this.#inner, ids);
    const sizes = Object.entries(logs) as [LogName, { readonly sizeBytes: number }][];
    this.#indexed = new Map(sizes.map(([log, { sizeBytes }]) => [log, sizeBytes]));
    return index;
  }

  /** Continues from a later checkpoint. @throws Failure corrupt_state */
  goOnFrom(state: FolderState): void {
    const before = this.#index;
    this.#index = this.#openRuns(state);
    before.close();
  }

  /** The index including everything committed. */
  whole(): IdIndex {
    for (const log of this.#logs()) {
      const view = this.#view(log.name);
      const from = this.#indexed.get(log.name) ?? 0;
      if (view.sizeBytes > from) addLines(this.#index, log, view, from);
      this.#indexed.set(log.name, view.sizeBytes);
    }
    return this.#index;
  }

  /** Rebuilds the index from the logs. */
  readonly rebuilt = (): IdIndex => {
    const logs = this.#logs();
    this.#indexed = new Map(logs.map(({ name }) => [name, this.#view(name).sizeBytes]));
    return (this.#index = rebuildIndex(this.#files, this.#inner, logs, this.#view));
  };

  close(): void {
    this.#index.close();
  }
}
