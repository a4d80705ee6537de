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
/** A resource of the machine is exhausted, whatever the call was. */
const EXHAUSTED = new Set(['EMFILE', 'ENFILE', 'ENOSPC', 'EDQUOT', 'ENOMEM']);
/** An invalid descriptor or argument is a bug in this program. */
const MISTAKES = new Set(['EBADF', 'EFAULT', 'EINVAL']);

/** The reason and the fix for each error; errors that are not listed keep Node's message. */
const MEANINGS: Readonly<Record<string, readonly [reason: string, fix: string]>> = {
  EACCES: ['permission denied', 'run this as its owner, or change its permissions'],
  EDQUOT: ['the disk quota is exceeded', 'free some space'],
  EIO: ['the disk reports an error', 'check the disk'],
  EISDIR: ['it is a folder, not a file', 'move it elsewhere'],
  ELOOP: ['its symbolic links form a loop', 'remove the link'],
  EMFILE: ['too many files are open in this process', 'raise the limit (ulimit -n)'],
  ENAMETOOLONG: ['the path is too long', 'use a shorter one'],
  ENFILE: [
    'too many files are open on this machine',
    'raise the limit, or stop the programs that keep them open',
  ],
  ENOENT: ['it does not exist', 'restore it'],
  ENOMEM: ['the machine is out of memory', 'free some memory'],
  ENOSPC: ['no space is left on the disk', 'free some space'],
  ENOTDIR: ['a part of the path is a file, not a folder', 'move that file elsewhere'],
  EPERM: ['permission denied', 'run this as its owner, or change its permissions'],
  ENXIO: ['it is not a regular file', 'move it elsewhere'],
  'mkdir ENOENT': ['no folder can be created there', 'use another location'],
  EROFS: ['the file system is read-only', 'mount it for writing, or use another location'],
};

/** Whether an error is caused by the state of the machine rather than by a bug. */
export function isSystemError(error: unknown): error is SystemError {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return false;
  const { code, syscall } = error;
  if (typeof code !== 'string' || typeof syscall !== 'string') return false;
  return EXHAUSTED.has(code) || ((READING.has(syscall) || WRITING.has(syscall)) && !MISTAKES.has(code));
}

/**
 * Converts an error of the operating system to a failure. No other code does this.
 *
 * @param about.file the file concerned; default: the path in the error
 * @param about.doing default: derived from the system call, where `open` counts as writing
 * @param about.owner the owner of the file, for errors of permission: `it belongs to root (uid 0), mode 600`
 * @param about.fix the fix if permission is denied
 * @param about.then the last step of the fix; default: `run this again`
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
    const message = `the working directory no longer exists (${code ?? ''})`;
    return new Failure('read_failed', message, { fix, cause: error });
  }
  // If the caller names a file, the directory was not to be created in TMPDIR, and setting it would not help.
  if (syscall === 'mkdtemp' && about.file === undefined) {
    const message = `cannot create a temporary directory at ${path ?? ''} (${code ?? ''})`;
    const fix = 'set TMPDIR to a directory that you may write to';
    return new Failure('write_failed', message, { fix, cause: error });
  }
  const file = about.file ?? path;
  // Modules of this program are only ever read, when a command loads them.
  const isModule = /\.[cm]?js$/.test(path ?? '');
  const doing = about.doing ?? (isModule || READING.has(syscall ?? '') ? 'read' : 'write');
  const isDenied = code === 'EACCES' || code === 'EPERM';
  const meaning = MEANINGS[`${syscall ?? ''} ${code ?? ''}`] ?? MEANINGS[code ?? ''];
  const [reason, usualFix] = meaning ?? [message ?? String(error), 'check the disk and the permissions'];
  const owner = isDenied && about.owner !== undefined ? `; ${about.owner}` : '';
  const isOfFiles = READING.has(syscall ?? '') || WRITING.has(syscall ?? '') || file !== undefined;
  const verb = doing === 'read' ? 'reading' : 'writing';
  const what = isOfFiles
    ? `${verb}${file === undefined ? '' : ` ${file}`} failed`
    : 'the operating system reported an error';
  const known = meaning === undefined ? '' : ` (${code ?? ''})`;
  const fix = (isDenied ? about.fix : undefined) ?? usualFix;
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
