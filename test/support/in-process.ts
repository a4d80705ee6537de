import { Writable } from 'node:stream';
import { exitCodeOf } from '../../src/cli/exit.ts';
import { exitOptions, runCommandLine } from '../../src/cli/main.ts';
import { Printer } from '../../src/cli/output/printer.ts';
import { Session } from '../../src/cli/session.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

// Tests run many commands at once, and each listens for signals: Node warns of more than ten.
process.setMaxListeners(100);

/** What a command line printed, and the exit code that the process would have ended with. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line as the binary does, in this process: a tenth of the time. It takes neither input nor signals. */
export async function runInProcess(
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<Ended> {
  const said = { stdout: '', stderr: '' };
  const into = (name: keyof typeof said): Writable =>
    new Writable({
      decodeStrings: false,
      write(text: string, _encoding, done) {
        said[name] += text;
        done();
      },
    });
  const session = new Session(new Printer(into('stdout'), into('stderr')), env, cwd);
  const before = SIGNALS.map((signal) => new Set(process.listeners(signal)));
  try {
    const code = await exitCodeOf(() => runCommandLine(words, session), exitOptions(words, session));
    return { code, ...said };
  } finally {
    for (const [index, signal] of SIGNALS.entries()) {
      for (const listener of process.listeners(signal)) {
        if (before[index]?.has(listener) !== true) process.off(signal, listener);
      }
    }
  }
}
