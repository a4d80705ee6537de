import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { currentTestFile, validateOutput } from './documents.ts';
import { startInProcess } from './in-process.ts';
import { waitFor } from './wait.ts';

const BINARY = path.resolve(import.meta.dirname, '../../bin/orderctl');
/** On a real Kafka, every command runs as the built binary. */
const IS_IN_PROCESS =
  process.env.ORDERCTL_TEST_BROKERS === undefined || process.env.ORDERCTL_TEST_CLUSTER === 'embedded';

export interface Result {
  /** The exit code; null when a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Written to its input, which is then closed. Without it there is no input. */
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** A running orderctl, ended by SIGKILL at the end of the test at the latest. */
export interface Running {
  readonly pid: number;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Waits until its stderr matches. @throws Error with both outputs when it exits first or takes too long */
  readonly says: (pattern: RegExp, timeoutMs?: number) => Promise<RegExpExecArray>;
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly exited: Promise<Result>;
}

/** The caller's environment, without variables that would change orderctl's behaviour or colours. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('ORDERCTL_') && !['FORCE_COLOR', 'NO_COLOR', 'NODE_OPTIONS'].includes(name),
  );
  return Object.fromEntries(kept);
}

/**
 * Starts the built binary. It receives none of the caller's ORDERCTL_ variables. When it exits, its JSON is compared
 * with the schemas of src/documents.
 */
export function startOrderctl(args: readonly string[], options: RunOptions = {}): Running {
  const env = { ...cleanEnvironment(), ...options.env };
  const child = spawn(process.execPath, [BINARY, ...args], {
    cwd: options.cwd ?? os.tmpdir(),
    env,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const running = observe(child, ['orderctl', ...args].join(' '), options.input);
  const file = currentTestFile();
  const exited = running.exited.then((result) => {
    validateOutput(file, args, env, result);
    return result;
  });
  return { ...running, exited };
}

/** Runs the built binary to its end. @throws Error when it takes longer than `timeoutMs` (60 s) */
export async function runOrderctl(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  return finish(startOrderctl(args, options), args.join(' '), options.timeoutMs ?? 60_000);
}

/**
 * Runs the same command line in this process. Its paths must be absolute: the working directory is that of the tests.
 */
function startHere(words: readonly string[], { cwd = os.tmpdir(), env }: RunOptions): Running {
  const whole = { ...cleanEnvironment(), ...env };
  const file = currentTestFile();
  const { stdout, stderr, stop, ended } = startInProcess(words, whole, cwd);
  let hasEnded = false;
  const exited = ended.then((result) => {
    hasEnded = true;
    validateOutput(file, words, whole, result);
    return { ...result, signal: null };
  });
  const what = ['orderctl', ...words].join(' ');
  const signal = (name: NodeJS.Signals): void => {
    if (name === 'SIGKILL') throw new Error(`"${what}" runs in the test's own process, and cannot be killed`);
    stop();
  };
  return {
    pid: process.pid,
    stdout,
    stderr,
    signal,
    exited,
    says: sayingOf(what, stdout, stderr, () => hasEnded),
  };
}

/** Waits for a process to exit. @throws Error with both outputs when that takes too long, after killing it */
export async function finish(running: Running, what: string, timeoutMs: number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), timeoutMs);
  });
  const result = await Promise.race([running.exited, late]);
  clearTimeout(timer);
  if (result !== null) return result;
  running.signal('SIGKILL');
  const { stdout, stderr } = await running.exited;
  throw new Error(`"${what}" did not end within ${timeoutMs} ms\nstdout: ${stdout}\nstderr: ${stderr}`);
}

/** Collects what a child process writes; also used for programs other than orderctl. */
export function observe(child: ChildProcess, what: string, input?: string): Running {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin?.on('error', () => undefined);
  if (input !== undefined) child.stdin?.end(input);
  let ended = false;
  const exited = new Promise<Result>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      ended = true;
      resolve({ code, signal, stdout, stderr });
    });
  });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${what} could not be started`);
  const signal = (name: NodeJS.Signals): void => {
    if (!ended) child.kill(name);
  };
  onTestFinished(() => {
    signal('SIGCONT');
    signal('SIGKILL');
  });
  return {
    pid,
    stdout: () => stdout,
    stderr: () => stderr,
    signal,
    exited,
    says: sayingOf(
      what,
      () => stdout,
      () => stderr,
      () => ended,
    ),
  };
}

function sayingOf(
  what: string,
  stdout: () => string,
  stderr: () => string,
  hasEnded: () => boolean,
): Running['says'] {
  return async (pattern, timeoutMs = 60_000) => {
    const match = await waitFor(
      `${String(pattern)} from ${what}`,
      () => ({ found: pattern.exec(stderr()), ended: hasEnded(), stdout: stdout(), stderr: stderr() }),
      (now) => now.found !== null || now.ended,
      { timeoutMs },
    );
    if (match.found !== null) return match.found;
    const outputs = `${what}\nstdout: ${stdout()}\nstderr: ${stderr()}`;
    throw new Error(`ended without saying ${String(pattern)}: ${outputs}`);
  };
}

/** A folder, topic and group for one test, and functions that call orderctl with them. */
export interface Shop {
  /** A temporary folder, the working directory of every call; it contains the storage folder. */
  readonly folder: string;
  readonly storage: string;
  readonly topic: string;
  readonly dlqTopic: string;
  readonly group: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs in this process in `npm test`; otherwise, and for commands that read input, as the built binary. */
  readonly run: (args: string | readonly string[], options?: RunOptions) => Promise<Result>;
  /** The same, but every command runs as the built binary: for tests of process behaviour. */
  readonly built: Shop;
  /** `run` that must exit with 0. @throws Error with both outputs */
  readonly ok: (args: string | readonly string[], options?: RunOptions) => Promise<Result>;
  /** `ok` with `-o json`: the one document on stdout. */
  readonly json: (args: string | readonly string[], options?: RunOptions) => Promise<Json>;
  /** `ok` with `-o json`: the documents on stdout, one per line. */
  readonly lines: (args: string | readonly string[], options?: RunOptions) => Promise<Json[]>;
  readonly start: (args: string | readonly string[], options?: RunOptions) => Running;
  /** Like `run`, for a command that runs until it is stopped: by the end of the test at the latest. */
  readonly host: (args: string | readonly string[]) => Running;
  /** A file of the storage folder; empty when it does not exist. */
  readonly read: (file: string) => string;
  readonly write: (file: string, text: string) => void;
  /** The objects of a file with one JSON object per line. */
  readonly jsonl: (file: string) => Json[];
  /** Quantities by item, from inventory.csv. */
  readonly stock: () => Record<string, number>;
}

/** JSON that a command printed. Fields that tests calculate with are typed; the rest is for expectations. */
export interface Json {
  readonly [field: string]: unknown;
  readonly type?: string;
  readonly order_id: string;
  readonly user: string;
  readonly items: readonly { readonly item: string; readonly quantity: number }[];
  readonly read: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly dead_lettered: number;
  readonly skipped: number;
  readonly sent: number;
  readonly partitions: readonly Readonly<Record<string, number>>[];
}

/** Commands tested there need no Kafka, and must find none: `npm test` runs them alongside tests that do. */
const HAS_NO_KAFKA = /\/test\/(?:cli|unit)\//;

/**
 * @param env settings in addition to the test's own; ORDERCTL_TEST_BROKERS and _REGISTRY are used when set, for tests
 *   that need Kafka
 */
export function openShop(env: Readonly<Record<string, string>> = {}): Shop {
  const name = `e2e-${randomBytes(5).toString('hex')}`;
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-shop-')));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  const settings: Record<string, string> = {
    ORDERCTL_STORAGE: path.join(folder, 'storage'),
    ORDERCTL_TOPIC: name,
    ORDERCTL_GROUP: `${name}-group`,
  };
  const { ORDERCTL_TEST_BROKERS: brokers, ORDERCTL_TEST_REGISTRY: registry } = HAS_NO_KAFKA.test(
    currentTestFile(),
  )
    ? {}
    : process.env;
  if (brokers !== undefined) settings.ORDERCTL_BROKERS = brokers;
  if (registry !== undefined) settings.ORDERCTL_REGISTRY = registry;
  return shopWith(folder, { ...settings, ...env });
}

function shopWith(folder: string, env: Record<string, string>, isInProcess = IS_IN_PROCESS): Shop {
  const storage = env.ORDERCTL_STORAGE ?? '';
  const topic = env.ORDERCTL_TOPIC ?? '';
  const split = (args: string | readonly string[]): string[] =>
    typeof args === 'string' ? args.split(' ').filter((word) => word !== '') : [...args];
  const merged = (options: RunOptions = {}): RunOptions => ({
    cwd: folder,
    ...options,
    env: { ...env, ...options.env },
  });
  const run: Shop['run'] = (args, options) =>
    isInProcess && options?.input === undefined
      ? startHere(split(args), merged(options)).exited
      : runOrderctl(split(args), merged(options));
  const ok: Shop['ok'] = async (args, options) => {
    const result = await run(args, options);
    if (result.code !== 0) {
      throw new Error(
        `"${split(args).join(' ')}" ended with ${result.code ?? result.signal ?? '?'}\n` +
          `stdout: ${result.stdout}\nstderr: ${result.stderr}`,
      );
    }
    return result;
  };
  const lines: Shop['lines'] = async (args, options) =>
    parseLines((await ok([...split(args), '-o', 'json'], options)).stdout);
  const file = (name: string): string => path.join(storage, name);
  const read = (name: string): string =>
    fs.existsSync(file(name)) ? fs.readFileSync(file(name), 'utf8') : '';
  return {
    folder,
    storage,
    topic,
    dlqTopic: `${topic}.dlq`,
    group: env.ORDERCTL_GROUP ?? '',
    env,
    run,
    get built() {
      return shopWith(folder, env, false);
    },
    ok,
    lines,
    json: async (args, options) => parseJson((await ok([...split(args), '-o', 'json'], options)).stdout),
    start: (args, options) => startOrderctl(split(args), merged(options)),
    host: (args) => {
      if (!isInProcess) return startOrderctl(split(args), merged());
      const running = startHere(split(args), merged());
      onTestFinished(async () => {
        running.signal('SIGTERM');
        await running.exited;
      });
      return running;
    },
    read,
    write: (name, text) => {
      fs.mkdirSync(storage, { recursive: true });
      fs.writeFileSync(file(name), text);
    },
    jsonl: (name) => parseLines(read(name)),
    stock: () => {
      const [header = '', ...rows] = read('inventory.csv').trimEnd().split(/\r?\n/);
      const [item, quantity] = ['item', 'quantity'].map((column) => header.split(',').indexOf(column));
      return Object.fromEntries(
        rows.map((row) => {
          const cells = row.split(',');
          return [cells[item ?? 0] ?? '', Number(cells[quantity ?? 1])];
        }),
      );
    },
  };
}

export function parseLines(text: string): Json[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(parseJson);
}

function parseJson(text: string): Json {
  return JSON.parse(text) as Json;
}

/** What `-o json` logged on stderr, as lines without JSON: `warning: …`. */
export function messagesOf({ stderr }: Pick<Result, 'stderr'>): string {
  const lines = parseLines(stderr) as readonly unknown[] as readonly { level: string; message: string }[];
  return lines.map(({ level, message }) => `${level === 'warn' ? 'warning: ' : ''}${message}\n`).join('');
}

/** The failure document with which `-o json` ends stderr. */
export function failureOf(result: Result): Json {
  return parseJson(result.stderr.trimEnd().split('\n').at(-1) ?? '');
}

/** Writes the tables of a new shop as a user's editor would: one command per row takes longer. */
export function fill(
  shop: Shop,
  users: Readonly<Record<string, 'paid' | 'unpaid'>>,
  items: Readonly<Record<string, number>>,
): void {
  const table = (header: string, rows: object): string =>
    [header, ...Object.entries(rows).map((cells) => cells.join(','))].join('\n') + '\n';
  if (Object.keys(users).length > 0) shop.write('users.csv', table('user,status', users));
  if (Object.keys(items).length > 0) shop.write('inventory.csv', table('item,quantity', items));
}

/** A shop with fifty pens, and with alice, who has paid. */
export function penShop(env: Record<string, string> = {}): Shop {
  const shop = openShop(env);
  fill(shop, { alice: 'paid' }, { pen: 50 });
  return shop;
}
