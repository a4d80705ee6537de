import type { Command } from 'commander';
import { Failure } from '../domain/failure.ts';
import type { DeclaredMessage } from '../domain/messages/message.ts';
import { nearest } from './nearest.ts';
import type { Session } from './session.ts';

// Only commands that look up messages by name load the catalogue.
const loadCatalogue = () => import('../domain/messages/select.ts');

export interface MessageFlags {
  readonly all?: true;
}

/** Lets a command accept names of messages, or --all. */
export function takingMessages(command: Command): Command {
  return command
    .argument('[MESSAGE...]', 'messages of the catalogue, such as orders.created')
    .option('--all', 'all messages of the catalogue');
}

/** The arguments that select the same messages in another command, each word preceded by a space. */
export function messageWords(names: readonly string[], { all }: MessageFlags): string {
  return [...names, ...(all === true ? ['--all'] : [])].map((word) => ` ${word}`).join('');
}

/** @returns null if none is named @throws Failure usage, invalid_value, invalid_settings */
export async function namedMessages(
  { settings: { topics } }: Session,
  names: readonly string[],
  { all }: MessageFlags,
): Promise<DeclaredMessage[] | null> {
  if (all === true && names.length > 0) {
    throw new Failure('usage', 'messages and --all cannot be combined', {
      fix: 'name messages, or use --all',
    });
  }
  if (all !== true && names.length === 0) return null;
  const { selectMessages } = await loadCatalogue();
  return selectMessages(all === true ? 'all' : names, topics, nearest);
}

/** For completion. */
export async function messageNames(): Promise<string[]> {
  const { selectMessages } = await loadCatalogue();
  return selectMessages('all', new Map()).map(({ name }) => name);
}

/** For completion. */
export async function processorNames(): Promise<string[]> {
  const { readingOfAll } = await import('../app/offsets/reading.ts');
  return readingOfAll({ group: '', names: new Map() }).map(({ processor }) => processor);
}
