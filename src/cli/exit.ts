import type { ErrorDocument } from '../documents/error.ts';
import { Failure, isFailure, type FailureCode } from '../domain/failure.ts';
import { isSystemError, systemFailure } from '../domain/system-failure.ts';
import { brokerHints, wayOut } from './hints.ts';
import type { Printer } from './output/printer.ts';

/**
 * The exit code for each failure. Part of the public contract (`"exit_code"` under `-o json`).
 *
 * 1 a bug · 2 wrong usage · 3 not found · 4 conflict · 5 a service cannot be reached or refused us ·
 * 6 the data is wrong · 7 the operating system failed a read or a write · 130 interrupted before the end
 */
export const EXIT_CODES: Readonly<Record<FailureCode, number>> = {
  bug: 1,
  usage: 2,
  invalid_value: 2,
  invalid_settings: 2,
  not_found: 3,
  topic_missing: 3,
  already_exists: 4,
  folder_in_use: 4,
  port_in_use: 4,
  group_in_use: 4,
  group_marked: 4,
  already_decided: 4,
  changed_since: 4,
  not_finished: 4,
  broker_unreachable: 5,
  broker_refused: 5,
  registry_unreachable: 5,
  registry_refused: 5,
  store_unreachable: 5,
  store_refused: 5,
  store_too_new: 6,
  owner_unreachable: 5,
  corrupt_file: 6,
  corrupt_state: 6,
  invalid_input: 6,
  offsets_gone: 6,
  topic_changed: 6,
  incompatible_schema: 6,
  audit_mismatch: 6,
  check_failed: 6,
  read_failed: 7,
  write_failed: 7,
  interrupted: 130,
};

/** How long resources that are still open after the work is done may keep the process alive. */
const LAST_RESORT_MS = 5_000;
/** A stop takes at most ten seconds; a little less, so that the process has ended by then. */
const STOP_LIMIT_MS = 9_500;
/**
 * npm and the terminal both pass on one Ctrl-C, so the copy arrives within this time, which is shorter than the time
 * between two fast key presses. A copy that arrives later makes the program exit at once, which is safe.
 */
const SAME_SIGNAL_MS = 100;

export interface ExitOptions {
  readonly printer: Printer;
  /** Called when the failure happens, at which point the settings may not have been read. */
  readonly isJson: () => boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The only place that ends the process. Runs `work` and sets the exit code from its outcome, without cutting off
 * pending output.
 */
export async function runToExit(work: () => Promise<void>, options: ExitOptions): Promise<void> {
  const { printer } = options;
  // The process must not continue in an unexpected state.
  const onBug = (error: unknown): void => {
    const code = report(error, options);
    void printer.flush().then(() => leaveNow(code));
  };
  // Node's warnings concern the developers of this program, not its users.
  process.removeAllListeners('warning');
  process.on('warning', ({ name, message }) => printer.debug(`${name}: ${message}`));
  process.on('uncaughtException', onBug);
  process.on('unhandledRejection', onBug);
  process.exitCode = await exitCodeOf(work, options);
  setTimeout(() => leaveNow(process.exitCode), LAST_RESORT_MS).unref();
}

/** Runs `work` and prints its failure. @returns the exit code, once all output has been written */
export async function exitCodeOf(work: () => Promise<void>, options: ExitOptions): Promise<number> {
  const { printer } = options;
  let code = 0;
  try {
    await work();
  } catch (error) {
    code = report(error, options);
  }
  await printer.flush();
  if (printer.writeError === null) return code;
  const cause = printer.writeError;
  const message = `the output could not be written (${cause.code ?? cause.message})`;
  return report(new Failure('write_failed', message, { fix: 'make room where it goes', cause }), options);
}

function leaveNow(code: typeof process.exitCode): never {
  // eslint-disable-next-line no-restricted-properties -- the one place that may exit
  process.exit(code ?? 0);
}

function report(error: unknown, { printer, isJson, env }: ExitOptions): number {
  printer.detach();
  const failure = toFailure(error);
  // A reader closes the pipe when it has read enough.
  if (printer.closed.aborted && failure.code === 'interrupted') return 0;
  const way = failure.fix === null ? null : wayOut(failure.fix);
  const ways = failure.code === 'broker_unreachable' ? brokerHints(way, env) : way;
  // Before encoding as JSON, which escapes paths.
  const fix = ways === null ? null : printer.rephrased(ways);
  const stack = failure.code === 'bug' && error instanceof Error ? error.stack : undefined;
  const isStackShown = stack !== undefined && (printer.says('debug') || env.ORDERCTL_LOG_LEVEL === 'debug');
  if (isJson()) {
    const document = failureDocument(failure, fix, printer.rephrased(failure.message));
    // The command line or the settings may be wrong, so the printer may not be configured yet.
    printer.configure({ level: 'error', noColor: true, isJson: true });
    if (isStackShown) printer.error(stack);
    printer.last(JSON.stringify(document));
    return document.exit_code;
  }
  printer.failure(failure.message, fix);
  if (isStackShown) printer.error(stack);
  return EXIT_CODES[failure.code];
}

function toFailure(error: unknown): Failure {
  if (isFailure(error)) return error;
  if (isSystemError(error)) return systemFailure(error);
  const message = error instanceof Error ? error.message : String(error);
  return new Failure('bug', `this is a bug in orderctl: ${message}`, {
    fix: 'run it again with --log-level debug and report what it prints, with the command',
    cause: error,
  });
}

function failureDocument(failure: Failure, fix: string | null, message: string): ErrorDocument {
  const { file, line, topic, partition, offset, orderId } = failure.context;
  return {
    type: 'error',
    code: failure.code,
    exit_code: EXIT_CODES[failure.code],
    message,
    fix,
    file: file ?? null,
    line: line ?? null,
    topic: topic ?? null,
    partition: partition ?? null,
    offset: offset ?? null,
    order_id: orderId ?? null,
  };
}

/**
 * For work that can be stopped: the first SIGINT, SIGTERM or SIGHUP aborts the returned signal, as does a reader that
 * closes our output; a second signal exits at once. Other commands keep the default: a signal ends them.
 *
 * @param word printed at the first SIGINT; null prints nothing, for work that stops immediately
 */
export function takeStopSignal(
  printer: Printer,
  word: string | null = 'stopping; press Ctrl-C again to exit at once',
): AbortSignal {
  const stop = new AbortController();
  let stoppedAt = 0;
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    signals += 1;
    if (signals === 1) {
      stoppedAt = now;
      if (signal === 'SIGINT' && word !== null) printer.info(word);
      setTimeout(() => leaveNow(130), STOP_LIMIT_MS).unref();
      stop.abort();
    } else if (signals > 2 || now - stoppedAt > SAME_SIGNAL_MS) {
      // One Ctrl-C arrives at most twice.
      leaveNow(130);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  printer.closed.addEventListener('abort', () => stop.abort());
  if (printer.closed.aborted) stop.abort();
  return stop.signal;
}
