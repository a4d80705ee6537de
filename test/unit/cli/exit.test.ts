import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runToExit, takeStopSignal } from '../../../src/cli/exit.ts';
import { Printer } from '../../../src/cli/output/printer.ts';
import { Failure } from '../../../src/domain/failure.ts';

/** The process as `takeStopSignal` sees it: its signals, its clock and its end. */
let send: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => void;
let exit: ReturnType<typeof vi.fn>;
let stdout: PassThrough;
let stderr: PassThrough;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
  const handlers = new Map<string | symbol, (signal: string) => void>();
  vi.spyOn(process, 'on').mockImplementation((name: string | symbol, handler: (signal: string) => void) => {
    handlers.set(name, handler);
    return process;
  });
  exit = vi.fn();
  vi.spyOn(process, 'exit').mockImplementation(exit as unknown as typeof process.exit);
  send = (signal) => handlers.get(signal)?.(signal);
  stdout = new PassThrough();
  stderr = new PassThrough();
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function stopSignal(word?: string | null): AbortSignal {
  return takeStopSignal(new Printer(stdout, stderr), word);
}

describe('a stop', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'is asked for by %s, and what is in hand is finished',
    (name) => {
      const signal = stopSignal();
      expect(signal.aborted).toBe(false);
      send(name);
      expect(signal.aborted).toBe(true);
      expect(exit).not.toHaveBeenCalled();
    },
  );

  it('says at the first Ctrl-C what a second one does, unless the end comes at once', () => {
    stopSignal();
    send('SIGINT');
    expect(String(stderr.read())).toBe('stopping; press Ctrl-C again to exit at once\n');
    stopSignal(null);
    send('SIGINT');
    expect(stderr.read()).toBeNull();
  });

  it('is left at once by a second Ctrl-C', () => {
    stopSignal();
    send('SIGINT');
    vi.advanceTimersByTime(150);
    expect(exit).not.toHaveBeenCalled();
    send('SIGINT');
    expect(exit).toHaveBeenCalledExactlyOnceWith(130);
  });

  it('is not left by the copy of the first that npm passes on, but by what comes after it', () => {
    stopSignal();
    send('SIGINT');
    vi.advanceTimersByTime(20);
    send('SIGINT');
    expect(exit).not.toHaveBeenCalled();
    vi.advanceTimersByTime(20);
    send('SIGINT');
    expect(exit).toHaveBeenCalledExactlyOnceWith(130);
  });

  it('takes ten seconds at most, whatever holds it up', () => {
    stopSignal();
    vi.advanceTimersByTime(60_000);
    send('SIGTERM');
    vi.advanceTimersByTime(9_000);
    expect(exit).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(exit).toHaveBeenCalledExactlyOnceWith(130);
  });

  it('is asked for by a reader that closes our output', () => {
    const signal = stopSignal();
    stdout.emit('error', Object.assign(new Error('closed'), { code: 'EPIPE' }));
    expect(signal.aborted).toBe(true);
  });
});

describe('the end', () => {
  const exitCode = process.exitCode;
  afterEach(() => (process.exitCode = exitCode));

  async function codeOf(work: () => Promise<void>): Promise<{ code: unknown; said: string }> {
    process.exitCode = undefined;
    await runToExit(work, { printer: new Printer(stdout, stderr), env: {}, isJson: () => false });
    return { code: process.exitCode, said: String(stderr.read() ?? '') };
  }

  it('has the code of the failure, and says it with the way out', async () => {
    const failure = new Failure('not_found', 'item pen does not exist', { fix: 'add it' });
    expect(await codeOf(() => Promise.reject(failure))).toEqual({
      code: 3,
      said: 'error: item pen does not exist\nfix: add it\n',
    });
    expect(await codeOf(() => Promise.resolve())).toEqual({ code: 0, said: '' });
  });

  it('by a reader that has enough is no interruption', async () => {
    const interrupted = new Failure('interrupted', 'interrupted after 5 orders');
    expect(await codeOf(() => Promise.reject(interrupted))).toMatchObject({ code: 130 });
    const closed = async (): Promise<void> => {
      stdout.emit('error', Object.assign(new Error('closed'), { code: 'EPIPE' }));
      throw interrupted;
    };
    expect(await codeOf(closed)).toEqual({ code: 0, said: '' });
  });
});
