import { readFileSync, readlinkSync } from 'node:fs';
import type { Processes } from '../../../ports/processes.ts';
import { errorCode } from '../fs.ts';

/*
 * A process is identified by the boot of its machine, its PID namespace (a container has its own), its number and its
 * start time, since numbers are reused. Linux has these in /proc, see proc_pid_stat(5).
 */

/** A field of /proc/PID/stat, counted after the name of the program, which may contain spaces. */
const STATE_FIELD = 0;
const START_FIELD = 19;
/** The process exists, but its start time cannot be read. */
const HIDDEN = 'hidden';

export const processes: Processes = {
  self() {
    const space = spaceOf();
    const start = startOf(process.pid);
    return space === null || start === null || start === HIDDEN ? null : `${space}/${process.pid}/${start}`;
  },
  stateOf(identity) {
    const [, space, pid, start] = /^(.+)\/(\d+)\/([^/]+)$/.exec(identity) ?? [];
    if (space === undefined || space !== spaceOf()) return 'unknown';
    const found = startOf(Number(pid));
    if (found === HIDDEN) return 'unknown';
    return found === start ? 'alive' : 'dead';
  },
};

/** The number of the process in an identity. */
export function pidOf(identity: string): number {
  return Number(identity.split('/').at(-2));
}

/** Within a namespace, a number identifies one process at a time. */
function spaceOf(): string | null {
  try {
    if (process.platform === 'darwin') return run('sysctl', ['-n', 'kern.bootsessionuuid']);
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return null;
  }
}

/** @returns HIDDEN; or null when the process does not exist, or only its exit code is left */
function startOf(pid: number): string | null {
  try {
    if (process.platform === 'darwin') {
      const [state = '', ...start] = run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]).split(/\s+/);
      return state.startsWith('Z') ? null : start.join('-');
    }
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return /^[ZX]/.test(fields[STATE_FIELD] ?? '') ? null : (fields[START_FIELD] ?? HIDDEN);
  } catch {
    return exists(pid) ? HIDDEN : null;
  }
}

/** Where /proc shows users only their own processes, signalling a number in use is refused. */
function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== 'ESRCH';
  }
}

function run(program: string, args: readonly string[]): string {
  // Loaded only when needed: it would cost every command on Linux two milliseconds.
  const { execFileSync } = process.getBuiltinModule('node:child_process');
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
  return execFileSync(program, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}
