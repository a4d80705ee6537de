import { readFileSync } from 'node:fs';
import { settingsFile } from './file.ts';
import type { Session } from '../session.ts';

/**
 * Whether errors are to be printed as JSON. Tolerates any command line and any settings file, since one of them may be
 * the error.
 */
export function isJsonWanted(words: readonly string[], session: Pick<Session, 'env' | 'cwd'>): boolean {
  let flag: string | undefined;
  let config: string | undefined;
  words.forEach((word, i) => {
    if (word === '-o' || word === '--output') flag = words[i + 1];
    else if (word.startsWith('--output=')) flag = word.slice('--output='.length);
    else if (/^-o./.test(word)) flag = word.slice(2).replace(/^=/, '');
    else if (word === '--config') config = words[i + 1];
    else if (word.startsWith('--config=')) config = word.slice('--config='.length);
  });
  const variable = session.env.ORDERCTL_OUTPUT;
  const wanted =
    flag ?? (variable === undefined || variable === '' ? outputInFile(config, session) : variable);
  return wanted?.toLowerCase() === 'json';
}

function outputInFile(config: string | undefined, session: Pick<Session, 'env' | 'cwd'>): string | undefined {
  try {
    const file = settingsFile(config, session);
    if (file === null) return undefined;
    const text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
    const { output } = JSON.parse(text) as { output?: unknown };
    return typeof output === 'string' ? output : undefined;
  } catch {
    // The code that resolves the settings reports this.
    return undefined;
  }
}
