import type { Command, Option } from 'commander';
import { openStore } from '../compose.ts';
import { REASONS } from '../domain/orders/reasons.ts';
import { DEAD_LETTER_CODES } from '../ports/codec.ts';
import type { Session } from './session.ts';

/** Longer than a person waits for a key to answer; without a broker what the folder knows has to do. */
const BROKER_TIMEOUT_MS = 400;
const MOST_ORDER_IDS = 100;
/** Said instead of words: the shell completes the names of files. */
const FILES = ':files';

/** Words that a flag or an argument takes, by what its help calls the value or by its name. */
const FIXED: Readonly<Record<string, readonly string[]>> = {
  '--output': ['text', 'json'],
  '--log-level': ['error', 'warn', 'info', 'debug'],
  '--sasl-mechanism': ['plain', 'scram-sha-256', 'scram-sha-512'],
  '--to': ['earliest', 'latest', 'current'],
  '--reset-to': ['earliest', 'latest'],
  '--state': ['open', 'redriven', 'discarded'],
  '--reason': [...DEAD_LETTER_CODES, ...REASONS],
  SHELL: ['bash', 'zsh', 'fish'],
};
const FILE_FLAGS = new Set([
  '--storage',
  '--file',
  '--from-file',
  '--data',
  '--tls-ca',
  '--tls-cert',
  '--tls-key',
]);

/**
 * What may stand in the place of the last word.
 *
 * @param words what was typed after the program's name, the word in work last
 * @param program with the command that is meant registered
 * @returns candidates that begin with it
 */
export async function complete(
  words: readonly string[],
  program: Command,
  session: Session,
): Promise<readonly string[]> {
  // bash makes three words of --user=al.
  const given = words.at(-1) === '=' ? [...words, ''] : words;
  const current = given.at(-1) ?? '';
  const before = given.slice(0, -1).filter((word) => word !== '=');
  const chain = chainOf(program, before);
  const options = chain.flatMap((command) => command.options);
  const flagOf = (word: string | undefined): Option | undefined =>
    options.find((option) => word !== undefined && [option.long, option.short].includes(word));

  const [, joined, rest] = /^(--[\w-]+)=(.*)$/s.exec(current) ?? [];
  const open = flagOf(joined ?? before.at(-1));
  if (open?.required === true && (joined !== undefined || open.long !== undefined)) {
    const start = rest ?? current;
    const values = await valuesOf(open.long ?? '', start, { chain, session, program, before });
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
  const argument = command.registeredArguments[0]?.name() ?? '';
  const values = await valuesOf(argument, current, { chain, session, program, before });
  return values.filter((value) => value.startsWith(current));
}

interface Place {
  readonly chain: readonly Command[];
  readonly session: Session;
  readonly program: Command;
  readonly before: readonly string[];
}

function chainOf(program: Command, words: readonly string[]): Command[] {
  const chain = [program];
  for (const word of words) {
    const next = chain.at(-1)?.commands.find((candidate) => candidate.name() === word);
    if (next !== undefined) chain.push(next);
  }
  return chain;
}

async function valuesOf(name: string, start: string, place: Place): Promise<readonly string[]> {
  const fixed = FIXED[name];
  if (fixed !== undefined) return fixed;
  if (FILE_FLAGS.has(name)) return [FILES];
  const noun = place.chain[1]?.name();
  if (name === '--status') return noun === 'order' ? ['accepted', 'rejected'] : ['paid', 'unpaid'];
  // The settings as far as they were typed: another folder has other users.
  place.program.parseOptions([...place.before]);
  place.session.resolve(place.program);
  const { settings } = place.session;
  switch (name) {
    case '--user':
      return names(place.session, async (reader) => [...(await reader.users())].map(({ user }) => user));
    case '--item':
      return names(place.session, async (reader) => [...(await reader.items())].map(({ item }) => item));
    case '--order':
    case '--resume-after':
    case 'ID':
      return noun === 'dlq' ? [] : (await openStore(settings.storage)).recentOrderIds(start, MOST_ORDER_IDS);
    case '--topic':
    case '--dlq-topic':
    case '--to-topic':
    case '--original-topic':
      return fromBroker(place.session, [settings.topic, settings.dlqTopic], 'topicNames');
    case '--group':
      return fromBroker(place.session, [settings.group], 'groupNames');
    default:
      return [];
  }
}

type Reader = Awaited<ReturnType<Awaited<ReturnType<typeof openStore>>['read']>>;

async function names(session: Session, read: (reader: Reader) => Promise<string[]>): Promise<string[]> {
  await using reader = await (await openStore(session.settings.storage)).read();
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
    // Nobody answers in time: nothing is told where a word is asked for.
    return known;
  }
}
