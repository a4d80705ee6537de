import { Failure } from '../domain/failure.ts';

/**
 * Asks before something is removed. `--yes` answers the question; without a terminal, having to ask is an error.
 *
 * @throws Failure usage, interrupted
 */
export async function confirm(question: string, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new Failure('usage', `cannot ask ${JSON.stringify(question)} without a terminal`, {
      fix: 'add --yes',
    });
  }
  const { createInterface } = await import('node:readline');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await new Promise<boolean>((resolve, reject) => {
      terminal.on('SIGINT', () => {
        // The cursor is still on the line of the question.
        process.stderr.write('\n');
        reject(new Failure('interrupted', 'interrupted; nothing changed'));
      });
      terminal.on('close', () => resolve(false));
      terminal.question(`${question} [y/N] `, (answer) => resolve(/^y(es)?$/i.test(answer.trim())));
    });
  } finally {
    terminal.close();
  }
}
