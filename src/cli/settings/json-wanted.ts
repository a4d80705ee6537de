import { readFileSync } from 'node:fs';
import { findSettingsFile } from './file.ts';
import type { Session } from '../session.ts';

/**
 * Whether errors are wanted as JSON. Neither the command line nor the settings file is trusted: one of them may be
 * what was refused.
 */
export function isJsonWanted(words: readonly string[], session: Pick<Session, 'env' | 'cwd'>): boolean {
  let flag: string | undefined;
  words.forEach((word, i) => {
    if (word === '-o' || word === '--output') flag = words[i + 1];
    else if (word.startsWith('--output=')) flag = word.slice('--output='.length);
    else if (/^-o./.test(word)) flag = word.slice(2).replace(/^=/, '');
  });
  const variable = session.env.ORDERCTL_OUTPUT;
  const wanted = flag ?? (variable === undefined || variable === '' ? outputInFile(session) : variable);
  return wanted?.toLowerCase() === 'json';
}

function outputInFile(session: Pick<Session, 'cwd'>): string | undefined {
  try {
    const file = findSettingsFile(session.cwd);
    if (file === null) return undefined;
    const text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
    const { output } = JSON.parse(text) as { output?: unknown };
    return typeof output === 'string' ? output : undefined;
  } catch {
    // What reads the settings reports it.
    return undefined;
  }
}
