import type { FileSystem } from '../../src/adapters/files/fs.ts';
import type { Clock } from '../../src/ports/clock.ts';

/**
 * The files and clock of one process, which can be paused as by SIGSTOP: work that waits for the disk or sleeps at that
 * moment continues when the process wakes up. Calls that do not wait are made: no pause falls between two of them.
 */
export class Pausable {
  readonly files: FileSystem;
  readonly clock: Clock;
  #awake: Promise<void> | null = null;
  #wake = (): void => undefined;

  constructor(files: FileSystem, clock: Clock) {
    this.files = {
      open: (name, mode) => files.open(name, mode),
      close: (fd) => files.close(fd),
      read: (fd, into, position) => files.read(fd, into, position),
      write: (fd, bytes, position) => files.write(fd, bytes, position),
      writeAll: (fd, parts, position) => files.writeAll(fd, parts, position),
      truncate: (fd, sizeBytes) => files.truncate(fd, sizeBytes),
      datasync: (fd) => this.#waiting(() => files.datasync(fd)),
      sync: (fd) => this.#waiting(() => files.sync(fd)),
      syncDirectory: (name) => this.#waiting(() => files.syncDirectory(name)),
      stat: (name) => files.stat(name),
      statOpen: (fd) => files.statOpen(fd),
      rename: (from, to) => files.rename(from, to),
      link: (from, to) => files.link(from, to),
      unlink: (name) => files.unlink(name),
      discard: (name) => this.#waiting(() => files.discard(name)),
      setAccess: (fd, access) => files.setAccess(fd, access),
      makeDirectory: (name) => files.makeDirectory(name),
      markUnread: (name) => files.markUnread(name),
      showsReads: (directory) => files.showsReads(directory),
      list: (name) => files.list(name),
      nowMs: () => files.nowMs(),
    };
    this.clock = {
      now: () => clock.now(),
      elapsed: () => clock.elapsed(),
      sleep: async (ms, signal) => {
        await clock.sleep(ms, signal);
        await this.#awake;
      },
    };
  }

  pause(): void {
    this.#awake ??= new Promise((resolve) => (this.#wake = resolve));
  }

  wake(): void {
    this.#awake = null;
    this.#wake();
  }

  async #waiting(call: () => Promise<void>): Promise<void> {
    await call();
    if (this.#awake !== null) await this.#awake;
  }
}
