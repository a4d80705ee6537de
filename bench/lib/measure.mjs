// @ts-check
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Linux counts the CPU time of a process in hundredths of a second. */
const TICKS_PER_SECOND = 100;
const SAMPLE_MS = 50;
/** Only the end is kept of the output: some programs print a line for each of ten million orders. */
const MOST_OUTPUT = 2 ** 23;
const KEPT_OUTPUT = 2 ** 20;

/**
 * @typedef {object} Run
 * @property {string} stdout
 * @property {string} stderr
 * @property {number | null} cpuSeconds user and system, of the process itself; null where /proc does not report it
 * @property {number | null} peakMiB peak resident memory
 * @property {number | null} writtenBytes bytes that the process caused to be written to disk
 * @property {number} wallSeconds from start to end of the process
 */

/**
 * Runs a program to its end and samples the resources that it uses.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{env?: NodeJS.ProcessEnv, cwd?: string, onStdout?: (text: string) => void}} [options]
 * @returns {Promise<Run>}
 * @throws {Error} with the program's output when its exit code is not 0
 */
export async function measure(command, args, { env, cwd, onStdout } = {}) {
  const startedAt = performance.now();
  const child = spawn(command, [...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
    stdout += text;
    onStdout?.(text);
    if (stdout.length > MOST_OUTPUT) stdout = stdout.slice(-KEPT_OUTPUT);
  });
  child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => (stderr += text));
  /** @type {Pick<Run, 'cpuSeconds' | 'peakMiB' | 'writtenBytes'>} */
  let taken = { cpuSeconds: null, peakMiB: null, writtenBytes: null };
  const sampling = setInterval(() => (taken = sample(child.pid) ?? taken), SAMPLE_MS);
  const code = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  clearInterval(sampling);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} exited with ${code}\n${stdout}\n${stderr}`);
  return { stdout, stderr, ...taken, wallSeconds: (performance.now() - startedAt) / 1000 };
}

/** @param {number | undefined} pid */
function sample(pid) {
  const folder = `/proc/${pid}`;
  if (pid === undefined || !existsSync(folder)) return null;
  try {
    const stat = readFileSync(`${folder}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`${folder}/status`, 'utf8'))?.[1];
    const written = /write_bytes: (\d+)/.exec(readFileSync(`${folder}/io`, 'utf8'))?.[1];
    if (peak === undefined) return null;
    return {
      cpuSeconds: ticks / TICKS_PER_SECOND,
      peakMiB: Number(peak) / 1024,
      writtenBytes: written === undefined ? null : Number(written),
    };
  } catch {
    // The process exited between two reads.
    return null;
  }
}

/**
 * @param {readonly number[]} values
 * @returns {number}
 */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/**
 * @param {readonly number[]} sorted ascending
 * @param {number} share 0.5 for the median
 */
export function percentile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}
