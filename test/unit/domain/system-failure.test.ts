import { describe, expect, it } from 'vitest';
import { isSystemError, systemFailure } from '../../../src/domain/system-failure.ts';

function systemError(code: string, syscall: string, path?: string): Error {
  const message = `${code}: as Node puts it, ${syscall}`;
  return Object.assign(new Error(message), { code, syscall, ...(path === undefined ? {} : { path }) });
}

describe('an error of the operating system', () => {
  it.each([
    ['EACCES', 'open', 'write_failed', 'writing /f failed: permission denied (EACCES)'],
    ['EACCES', 'scandir', 'read_failed', 'reading /f failed: permission denied (EACCES)'],
    ['EISDIR', 'read', 'read_failed', 'reading /f failed: it is a folder, not a file (EISDIR)'],
    ['ELOOP', 'stat', 'read_failed', 'reading /f failed: its symbolic links form a loop (ELOOP)'],
    ['EMFILE', 'open', 'write_failed', 'writing /f failed: too many files are open in this process (EMFILE)'],
    ['EXDEV', 'rename', 'write_failed', 'writing /f failed: EXDEV: as Node puts it, rename'],
  ])('%s of %s is %s', (code, syscall, failure, message) => {
    const error = systemError(code, syscall, '/f');
    expect(isSystemError(error)).toBe(true);
    const found = systemFailure(error);
    expect(found).toMatchObject({
      code: failure,
      message,
      cause: error,
      context: { file: '/f' },
    });
    expect(found.fix).toMatch(/, then run this again$/);
  });

  it('takes what the caller knows better', () => {
    const error = systemError('EACCES', 'open', '/short');
    const about = {
      file: '/long',
      doing: 'read',
      owner: 'it belongs to root, mode 600',
      fix: 'be root',
    } as const;
    expect(systemFailure(error, about)).toMatchObject({
      code: 'read_failed',
      message: 'reading /long failed: permission denied; it belongs to root, mode 600 (EACCES)',
      fix: 'be root, then run this again',
    });
  });

  it('says of a module of the program that it was read', () => {
    const error = systemError('EMFILE', 'open', '/lib/orderctl/dist/processors.js');
    expect(systemFailure(error).message).toMatch(/^reading .*processors\.js failed: too many files/);
  });

  it('names TMPDIR only where no directory can be made in the temporary one', () => {
    const inTemporary = systemFailure(systemError('EROFS', 'mkdtemp', '/tmp/orderctl-XXXXXX'));
    expect(inTemporary.fix).toContain('set TMPDIR');
    const error = systemError('EROFS', 'mkdtemp', '/shop/.orderctl/owner.new-XXXXXX');
    expect(systemFailure(error, { file: '/shop/.orderctl' })).toMatchObject({
      message: 'writing /shop/.orderctl failed: the file system is read-only (EROFS)',
      fix: 'mount it for writing, or use another location, then run this again',
    });
  });

  it('needs no file where the machine has no more of something', () => {
    const error = systemError('EMFILE', 'connect');
    expect(isSystemError(error)).toBe(true);
    expect(systemFailure(error).message).toBe(
      'the operating system reported an error: too many files are open in this process (EMFILE)',
    );
  });

  it.each<[string, unknown]>([
    ['a descriptor that is not open', systemError('EBADF', 'read')],
    ['nonsense passed to a call', systemError('EINVAL', 'write')],
    ['a service that refuses', systemError('ECONNREFUSED', 'connect')],
    ['an error of Node', Object.assign(new Error('x'), { code: 'ERR_INVALID_ARG_TYPE' })],
    ['an error of ours', new TypeError('x is undefined')],
    ['no error', 'EACCES'],
  ])('is not: %s', (_what, error) => {
    expect(isSystemError(error)).toBe(false);
  });
});
