import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import type { ErrorDocument, LogLine } from '../../documents/error.ts';
import { Failure, FAILURE_CODES } from '../../domain/failure.ts';
import { PACKAGE_ROOT } from '../hints.ts';

/** The first restart is immediate; the delay of each later one is twice that of the one before. */
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;
/** After this long a process counts as healthy: the next restart is immediate again. */
const STEADY_MS = 30_000;
/** A process that does not announce itself, or ended more than once, counts as running again after this long. */
const LASTING_MS = 2_000;
const SAYS_ERROR = { kind: 'says', level: 'error', about: null, fix: null } as const;
/** By the ipc channel, Node notifies a child when its parent ends. */
const STDIO = ['ignore', 'pipe', 'pipe', 'ipc'] as const;

export interface PartOptions {
  /** For messages: `run`. */
  readonly name: string;
  /** The script; by default orderctl. */
  readonly program?: string;
  /** Returns the command line; called before each start. */
  readonly args: () => readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Whether it prints a document once it is ready; other parts are ready as soon as they run. */
  readonly announces: boolean;
  readonly on: (event: PartEvent) => void;
  /** Called each time its process is ready. */
  readonly onReady?: () => void;
  /** Receives the messages that its process sends. */
  readonly onMessage?: (message: unknown) => void;
}

export type PartEvent =
  | {
      readonly kind: 'says';
      readonly name: string;
      readonly level: LogLine['level'];
      readonly message: string;
      readonly about: LogLine['about'];
      /** What to do; null: not known. */
      readonly fix: string | null;
    }
  | {
      readonly kind: 'ended';
      readonly name: string;
      readonly pid: number;
      readonly how: string;
      /** Delay before it is restarted. */
      readonly delayMs: number;
    }
  | {
      readonly kind: 'back';
      readonly name: string;
      readonly pid: number;
      /** Time since it ended; null: it does not announce when it is ready. */
      readonly afterMs: number | null;
    };

/** A command that runs in its own process and is restarted when it ends. */
export class Part {
  readonly #options: PartOptions;
  #child: ChildProcess | null = null;
  #isStopping = false;
  /** Whether its end was requested. */
  #isEndWanted = false;
  #restarts = 0;
  #timer: NodeJS.Timeout | null = null;
  #problem: ErrorDocument | null = null;
  #waiting: (() => void)[] = [];

  constructor(options: PartOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /**
   * Resolves once it is ready, with the document that it announced, or null.
   *
   * @throws Failure the failure that it reported, if it ends before it is ready
   */
  async start(): Promise<unknown> {
    const ready = await this.#spawn();
    if (ready.kind === 'ready') return ready.document;
    const { code = 'bug', message = `${this.#options.name} ${ready.how}`, fix } = this.#problem ?? {};
    throw new Failure(FAILURE_CODES.find((known) => known === code) ?? 'bug', message, {
      ...(fix == null ? {} : { fix }),
    });
  }

  /**
   * Ends its process, which is then restarted as after any end.
   *
   * @returns `back` resolves once the next one is ready
   * @throws Failure not_found: it is not running at the moment
   */
  end(signal: 'SIGKILL' | 'SIGTERM'): { readonly pid: number; readonly back: Promise<void> } {
    const { pid } = this.#child ?? {};
    if (pid === undefined) throw new Failure('not_found', `${this.#options.name} does not run at the moment`);
    // An end that was requested is not a failure and must not delay the restart.
    this.#restarts = 0;
    this.#isEndWanted = true;
    const back = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#child?.kill(signal);
    return { pid, back };
  }

  /** Sends a message to its process, if it runs and is connected. */
  send(message: object): void {
    if (this.#child?.connected === true) this.#child.send(message, () => undefined);
  }

  /** Ends its process and waits until it has ended. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const child = this.#child;
    if (child === null) return;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGTERM');
    await ended;
  }

  #spawn(): Promise<{ kind: 'ready'; document: unknown } | { kind: 'ended'; how: string }> {
    const { args, env, cwd, announces, name, on, onMessage, onReady } = this.#options;
    const { program = join(PACKAGE_ROOT, 'bin/orderctl') } = this.#options;
    // Stopped before this start, which may have waited for something else, began.
    if (this.#isStopping) return Promise.resolve({ kind: 'ended', how: 'was stopped before it started' });
    const startedAt = performance.now();
    // Its own process group: Ctrl-C reaches only this process, which then stops the parts in order.
    const child = spawn(process.execPath, [program, ...args(), '-o', 'json'], {
      cwd,
      env,
      detached: true,
      stdio: [...STDIO],
    });
    this.#child = child;
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      if (onMessage !== undefined) child.on('message', onMessage);
      const lines = createInterface({ input: child.stdout ?? process.stdin });
      lines.once('line', (line) => {
        if (!announces) return;
        resolve({ kind: 'ready', document: JSON.parse(line) as unknown });
        onReady?.();
      });
      lines.on('line', () => undefined);
      if (!announces) child.once('spawn', () => resolve({ kind: 'ready', document: null }));
      createInterface({ input: child.stderr ?? process.stdin }).on('line', (line) => this.#take(line));
      child.once('close', (code, signal) => {
        this.#child = null;
        const how = signal === null ? `ended with exit code ${code ?? '?'}` : `was ended by ${signal}`;
        resolve({ kind: 'ended', how });
        if (this.#isStopping) return;
        this.#restarts = performance.now() - startedAt > STEADY_MS ? 0 : this.#restarts + 1;
        const delayMs =
          this.#restarts <= 1 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (this.#restarts - 2), LONGEST_DELAY_MS);
        const isLasting = this.#restarts <= 1 && (announces || this.#isEndWanted);
        this.#isEndWanted = false;
        on({ kind: 'ended', name, pid: child.pid ?? 0, how, delayMs });
        this.#startAgain(delayMs, isLasting);
      });
    });
  }

  /** @param isLasting whether the next process counts as running again as soon as it is ready */
  #startAgain(delayMs: number, isLasting: boolean): void {
    const { name, on, announces } = this.#options;
    const endedAt = performance.now();
    this.#timer = setTimeout(() => {
      void this.#spawn().then(
        (result) => {
          const { pid } = this;
          if (result.kind === 'ended' || pid === null) return;
          const afterMs = announces ? performance.now() - endedAt : null;
          for (const resolve of this.#waiting.splice(0)) resolve();
          if (isLasting) on({ kind: 'back', name, pid, afterMs });
          else
            this.#timer = setTimeout(
              () => pid === this.pid && on({ kind: 'back', name, pid, afterMs }),
              LASTING_MS,
            );
        },
        (error: unknown) => on({ ...SAYS_ERROR, name, message: String(error) }),
      );
    }, delayMs);
  }

  /** Handles a line of its stderr: JSON, unless Node itself printed it. */
  #take(line: string): void {
    const { name, on } = this.#options;
    try {
      const said = JSON.parse(line) as LogLine | ErrorDocument;
      if (said.type === 'error') this.#problem = said;
      const { message } = said;
      if (said.type === 'error') on({ ...SAYS_ERROR, name, message, fix: said.fix });
      else on({ kind: 'says', name, level: said.level, message, about: said.about, fix: null });
    } catch {
      on({ ...SAYS_ERROR, name, message: line });
    }
  }
}
