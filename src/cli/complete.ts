import type { Command, Option } from 'commander';
import { offeredFor } from './help.ts';
import { openStoreAdmin, openStore } from '../compose.ts';
import { messageNames, processorNames } from './messages.ts';
import type { Session } from './session.ts';
import type { SettingSpec } from './settings/spec.ts';
import { flagOf, SETTINGS } from './settings/table.ts';
import type { Completion } from './settings/values.ts';
import { commandChain } from './usage.ts';

/** Users wait no longer than this after pressing a key; without an answer, only names known locally are offered. */
const BROKER_TIMEOUT_MS = 400;
const MOST_ORDER_IDS = 100;
/** Printed instead of words: the shell then completes file names. */
const FILES = ':files';

/**
 * What flags and arguments accept, by flag or by the name in help. Flags of settings are in the settings table; values that
 * only one command accepts are named where its option is declared.
 */
const VALUES: Readonly<Record<string, Completion>> = {
  ...Object.fromEntries(
    SETTINGS.flatMap(({ name, type }: SettingSpec) =>
      type.completion === undefined ? [] : [[flagOf(name), type.completion]],
    ),
  ),
  FILE: 'files',
  DIR: 'files',
  '--file': 'files',
  '--from-file': 'files',
  '--data': 'files',
  '--resume': 'files',
  '--to-topic': 'topics',
  '--original-topic': 'topics',
  '--processor': 'processors',
  '--original-group': 'groups',
  '--user': 'users',
  '--item': 'items',
  '--supplier': 'suppliers',
  '--order': 'orders',
  '--resume-after': 'orders',
  ID: 'orders',
  MESSAGE: 'messages',
};

/** What NAME is, by noun. */
const NAMES: Readonly<Record<string, Completion>> = {
  user: 'users',
  inventory: 'items',
  supplier: 'suppliers',
  run: 'processors',
  setup: 'processors',
};

/**
 * The candidates for the last word.
 *
 * @param words the words typed after the program's name; the last one is being completed
 * @param program has the command that was typed registered
 * @returns candidates that start with the last word
 */
export async function complete(
  words: readonly string[],
  program: Command,
  session: Session,
): Promise<readonly string[]> {
  // bash splits --user=al into three words.
  const given = words.at(-1) === '=' ? [...words, ''] : words;
  const current = given.at(-1) ?? '';
  const before = given.slice(0, -1).filter((word) => word !== '=');
  const chain = commandChain(program, before);
  const options = chain.flatMap((command) => command.options);
  const flagOf = (word: string | undefined): Option | undefined =>
    options.find((option) => word !== undefined && [option.long, option.short].includes(word));

  const [, joined, rest] = /^(--[\w-]+)=(.*)$/s.exec(current) ?? [];
  const open = flagOf(joined ?? before.at(-1));
  if (open?.required === true && (joined !== undefined || open.long !== undefined)) {
    const start = rest ?? current;
    // The flag being typed has no value yet.
    const complete = joined === undefined ? before.slice(0, -1) : before;
    const place = { chain, session, program, before: complete };
    const values = await valuesOf(offeredFor(open) ?? VALUES[open.long ?? ''], start, place);
    if (values.includes(FILES)) return [FILES];
    const fitting = values.filter((value) => value.startsWith(start));
    return joined === undefined ? fitting : fitting.map((value) => `${joined}=${value}`);
  }
  if (current.startsWith('-')) {
    return [...options.flatMap(({ long }) => long ?? []), '--help'].filter((flag) =>
      flag.startsWith(current),
    );
  }
  const command = chain.at(-1) ?? program;
  const names = command.commands.map((candidate) => candidate.name());
  if (names.length > 0) return names.filter((name) => name !== 'help' && name.startsWith(current));
  const argument = command.registeredArguments[0];
  const name = argument?.name() ?? '';
  const noun = chain[1]?.name();
  const kind = argument?.argChoices ?? (name === 'NAME' && noun !== undefined ? NAMES[noun] : VALUES[name]);
  const values = await valuesOf(kind, current, { chain, session, program, before });
  return values.filter((value) => value.startsWith(current));
}

interface Place {
  readonly chain: readonly Command[];
  readonly session: Session;
  readonly program: Command;
  /** The complete words before it: no flag without its value. */
  readonly before: readonly string[];
}

async function valuesOf(
  kind: Completion | undefined,
  start: string,
  place: Place,
): Promise<readonly string[]> {
  if (kind === undefined) return [];
  if (kind === 'files') return [FILES];
  if (typeof kind !== 'string') return kind;
  // Apply the settings typed so far: another folder has other users.
  place.program.parseOptions([...place.before]);
  place.session.resolve(place.program);
  const { settings } = place.session;
  switch (kind) {
    case 'users':
      return names(place.session, async (reader) => [...(await reader.users())].map(({ user }) => user));
    case 'items':
      return names(place.session, async (reader) => [...(await reader.items())].map(({ item }) => item));
    case 'suppliers':
      return (await (await openStoreAdmin(settings)).lists.rows('suppliers')).map(
        (row) => row.supplier_id ?? '',
      );
    case 'orders':
      return place.chain[1]?.name() === 'dlq'
        ? []
        : (await openStore(settings)).recentOrderIds(start, MOST_ORDER_IDS);
    case 'messages':
      return messageNames();
    case 'processors':
      return processorNames();
    case 'processors_or_all':
      return [...(await processorNames()), 'all'];
    case 'event_sources':
      return (await import('./produce/sources.ts')).EVENT_SOURCES;
    case 'topics':
      return fromBroker(place.session, [settings.topic, settings.dlqTopic], 'topicNames');
    case 'groups':
      return fromBroker(place.session, [settings.group], 'groupNames');
  }
}

type Reader = Awaited<ReturnType<Awaited<ReturnType<typeof openStore>>['read']>>;

async function names(session: Session, read: (reader: Reader) => Promise<string[]>): Promise<string[]> {
  await using reader = await (await openStore(session.settings)).read();
  return await read(reader);
}

async function fromBroker(
  session: Session,
  known: readonly string[],
  list: 'topicNames' | 'groupNames',
): Promise<readonly string[]> {
  const { openBrokerOnly } = await import('./kafka/open.ts');
  const broker = await openBrokerOnly(session, { connectTimeoutMs: BROKER_TIMEOUT_MS });
  try {
    await using admin = await broker.admin();
    return [...new Set([...(await admin[list]()), ...known])].sort();
  } catch {
    // No answer in time. Completion must not print errors.
    return known;
  }
}
