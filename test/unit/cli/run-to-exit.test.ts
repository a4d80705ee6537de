import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { runToExit } from '../../../src/cli/exit.ts';
import { Printer } from '../../../src/cli/output/printer.ts';
import { Failure } from '../../../src/domain/failure.ts';

let before: typeof process.exitCode;
beforeEach(() => {
  // Its last resort ends the process, which is ours.
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  before = process.exitCode;
  process.exitCode = undefined;
  vi.spyOn(process, 'on').mockReturnValue(process);
  vi.spyOn(process, 'removeAllListeners').mockReturnValue(process);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  process.exitCode = before;
});

async function ended(
  work: (printer: Printer) => Promise<void>,
  stdout: Writable = new PassThrough(),
): Promise<{ code: unknown; said: string }> {
  const stderr = new PassThrough();
  const printer = new Printer(stdout, stderr);
  printer.configure({ level: 'info', noColor: true });
  await runToExit(() => work(printer), { printer, isJson: () => false, env: {} });
  return { code: process.exitCode, said: String(stderr.read() ?? '') };
}

it('ends with what the failure is, and a bug is one only where it is ours', async () => {
  const denied = { code: 'EACCES', syscall: 'open', path: '/f' };
  for (const [error, code, said] of [
    [new Failure('not_found', 'no pen'), 3, 'error: no pen\n'],
    [Object.assign(new Error('EACCES: x'), denied), 7, 'error: writing /f failed: permission denied'],
    [new TypeError('x is undefined'), 1, 'error: this is a bug in orderctl: x is undefined'],
    [Object.assign(new Error('EBADF: x'), { code: 'EBADF', syscall: 'read' }), 1, 'this is a bug'],
  ] as const) {
    const found = await ended(() => Promise.reject(error));
    expect(found.code).toBe(code);
    expect(found.said).toContain(said);
  }
});

it('under -o json says the error last, as JSON, and nothing after it', async () => {
  const stderr = new PassThrough();
  const printer = new Printer(new PassThrough(), stderr);
  const work = async (): Promise<void> => {
    printer.configure({
      level: 'debug',
      noColor: true,
      isJson: true,
      rephrase: (text) => text.toUpperCase(),
    });
    printer.info('two\nlines');
    setImmediate(() => printer.debug('late'));
    throw new Failure('not_found', 'no pen', { fix: 'buy one' });
  };
  await runToExit(work, { printer, isJson: () => true, env: {} });
  await new Promise((resolve) => setImmediate(resolve));
  printer.error('later');
  const lines = String(stderr.read()).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { type: 'log', level: 'info', message: 'TWO\nLINES' },
    { type: 'error', code: 'not_found', message: 'NO PEN', fix: 'BUY ONE' },
  ]);
});

it.each([
  ['ENOSPC', 7],
  ['EPIPE', 0],
])('ends as it must when the last write met %s', async (code, exitCode) => {
  // As a file does: the error comes after the stream has let go of what was written.
  const full = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })),
  });
  expect((await ended((printer) => printer.data('help'), full)).code).toBe(exitCode);
});
