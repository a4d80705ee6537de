import { Writable } from 'node:stream';
import { exitCodeOf } from '../../src/cli/exit.ts';
import { exitOptions, runCommandLine } from '../../src/cli/main.ts';
import { Printer } from '../../src/cli/output/printer.ts';
import { Session } from '../../src/cli/session.ts';

/** The signals that commands listen for. */
const EVENTS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

// Tests run many commands at once, and each listens for signals: Node warns of more than ten listeners.
process.setMaxListeners(100);

/** What a command line printed, and the exit code that the process would have ended with. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command line that runs in this process. */
export interface RunningHere {
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Closes its output, which ends a command that would run until it is stopped. */
  readonly stop: () => void;
  readonly ended: Promise<Ended>;
}

/** Runs a command line in this process as the binary would, in a tenth of the time, but without input or signals. */
export function startInProcess(words: readonly string[], env: NodeJS.ProcessEnv, cwd: string): RunningHere {
  const said = { stdout: '', stderr: '' };
  const into = (name: keyof typeof said): Writable =>
    new Writable({
      decodeStrings: false,
      write(text: string, _encoding, done) {
        said[name] += text;
        done();
      },
    });
  const output = into('stdout');
  const session = new Session(new Printer(output, into('stderr')), env, cwd);
  const end = async (): Promise<Ended> => {
    const before = EVENTS.map((event) => new Set(process.listeners(event)));
    try {
      const code = await exitCodeOf(() => runCommandLine(words, session), exitOptions(words, session));
      return { code, ...said };
    } finally {
      for (const [index, event] of EVENTS.entries()) {
        for (const listener of process.listeners(event)) {
          if (before[index]?.has(listener) !== true) process.off(event, listener);
        }
      }
    }
  };
  return {
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    stop: () => void output.destroy(Object.assign(new Error('closed'), { code: 'EPIPE' })),
    ended: end(),
  };
}
