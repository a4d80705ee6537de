import { Failure } from './failure.ts';

/** An error of the operating system, as Node reports it. */
export interface SystemError extends Error {
  /** `EACCES` and the like. */
  readonly code: string;
  readonly syscall: string;
  readonly path?: string;
}

const READING = new Set(
  'read readv pread access fstat lstat opendir readlink realpath scandir stat statfs uv_cwd'.split(' '),
);
const WRITING = new Set(
  'chmod chown copyfile fchmod fchown fdatasync fsync ftruncate futime lchown link mkdir mkdtemp open pwrite rename rm rmdir symlink unlink write writev'.split(
    ' ',
  ),
);
/** These say that the machine has no more of something, whatever was asked of it. */
const EXHAUSTED = new Set(['EMFILE', 'ENFILE', 'ENOSPC', 'EDQUOT', 'ENOMEM']);
/** A program that uses a descriptor it does not have, or passes nonsense, is wrong itself. */
const MISTAKES = new Set(['EBADF', 'EFAULT', 'EINVAL']);

/** What each means, and the way out of it; others keep Node's own message. */
const MEANINGS: Readonly<Record<string, readonly [reason: string, fix: string]>> = {
  EACCES: ['permission denied', 'run this as the user that it belongs to, or change who may use it'],
  EDQUOT: ['the quota of that disk is used up', 'free space there'],
  EIO: ['the disk reports an error', 'check that disk'],
  EISDIR: ['it is a folder, where a file belongs', 'move it away'],
  ELOOP: ['its symbolic links lead round in a circle', 'remove the link'],
  EMFILE: ['too many files are open in this process', 'raise the limit (ulimit -n)'],
  ENAMETOOLONG: ['that path is too long', 'use a shorter one'],
  ENFILE: ['too many files are open on this machine', 'raise its limit, or end what holds them open'],
  ENOENT: ['it is not there', 'put it back'],
  ENOMEM: ['the machine has no memory left', 'free memory'],
  ENOSPC: ['no space is left on that disk', 'free space there'],
  ENOTDIR: ['a part of that path is a file, where a folder belongs', 'move that file away'],
  EPERM: ['permission denied', 'run this as the user that it belongs to, or change who may use it'],
  ENXIO: ['it is not a file', 'move it away'],
  'mkdir ENOENT': ['no folder can be made there', 'use another place'],
  EROFS: ['that file system is read-only', 'mount it for writing, or use another place'],
};

/** Whether an error is due to the state of the machine, and not a bug. */
export function isSystemError(error: unknown): error is SystemError {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return false;
  const { code, syscall } = error;
  if (typeof code !== 'string' || typeof syscall !== 'string') return false;
  return EXHAUSTED.has(code) || ((READING.has(syscall) || WRITING.has(syscall)) && !MISTAKES.has(code));
}

/**
 * The one place where an error of the operating system becomes a failure.
 *
 * @param about.file what it was about; else the path that the error names
 * @param about.doing else it follows from the call; an `open` counts as writing
 * @param about.owner whose the file is, where permission may be missing: `it belongs to root (uid 0), mode 600`
 * @param about.fix the way out where permission is missing
 * @param about.then what follows on the way out
 * @returns read_failed or write_failed
 */
export function systemFailure(
  error: unknown,
  about: {
    readonly file?: string | undefined;
    readonly doing?: 'read' | 'write' | undefined;
    readonly owner?: string | undefined;
    readonly fix?: string | undefined;
    readonly then?: string | undefined;
  } = {},
): Failure {
  const { code, syscall, path, message } = (error instanceof Error ? error : {}) as Partial<SystemError>;
  if (syscall === 'uv_cwd') {
    const fix = 'change to another directory: cd';
    return new Failure('read_failed', `the working directory is gone (${code ?? ''})`, { fix, cause: error });
  }
  // Where it was to be made in a folder of ours, the caller names that one: TMPDIR would not help.
  if (syscall === 'mkdtemp' && about.file === undefined) {
    const message = `no temporary directory can be made at ${path ?? ''} (${code ?? ''})`;
    const fix = 'set TMPDIR to a directory that you may write to';
    return new Failure('write_failed', message, { fix, cause: error });
  }
  const file = about.file ?? path;
  // The program is only ever read, as it is when a command loads what it needs.
  const isModule = /\.[cm]?js$/.test(path ?? '');
  const doing = about.doing ?? (isModule || READING.has(syscall ?? '') ? 'read' : 'write');
  const isDenied = code === 'EACCES' || code === 'EPERM';
  const meaning = MEANINGS[`${syscall ?? ''} ${code ?? ''}`] ?? MEANINGS[code ?? ''];
  const [reason, way] = meaning ?? [message ?? String(error), 'check the disk and the permissions'];
  const owner = isDenied && about.owner !== undefined ? `; ${about.owner}` : '';
  const isOfFiles = READING.has(syscall ?? '') || WRITING.has(syscall ?? '') || file !== undefined;
  const verb = doing === 'read' ? 'reading' : 'writing';
  const what = isOfFiles ? `${verb}${file === undefined ? '' : ` ${file}`} failed` : 'the machine failed us';
  const known = meaning === undefined ? '' : ` (${code ?? ''})`;
  const fix = (isDenied ? about.fix : undefined) ?? way;
  return new Failure(
    doing === 'read' ? 'read_failed' : 'write_failed',
    `${what}: ${reason}${owner}${known}`,
    {
      fix: `${fix}, then ${about.then ?? 'run this again'}`,
      ...(file === undefined ? {} : { context: { file } }),
      cause: error,
    },
  );
}
