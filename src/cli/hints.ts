import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Advice, ProduceAgain, TypedAdvice } from '../domain/advice.ts';
import { WAYS_OF_POSITIONS, type Ways } from './output/positions/ways-out.ts';
import { wayToDatabase } from './settings/split-folder.ts';

const ADD_FIRST = {
  users: 'orderctl user add --user alice --status paid',
  items: 'orderctl inventory add --item book --quantity 10',
};

const WAYS: Ways = {
  in_turn: ({ steps }) => steps.map(wayOut).join('; then '),

  show_users: () => 'see the users: orderctl user show',
  show_suppliers: () => 'see them: orderctl supplier show',
  show_items: () => 'see the items: orderctl inventory show',
  show_edits: ({ table }) => `see: orderctl ${nounOf(table)} log`,
  undo_edit: ({ table, number }) => `take that one back: orderctl ${nounOf(table)} undo --edit ${number}`,
  change_supplier: ({ supplier }) =>
    `change it: orderctl supplier update ${supplier}; see all of them: orderctl supplier show`,
  add_user: ({ user, status }) => `add it with: orderctl user add --user ${user} --status ${status}`,
  change_user: ({ user, status }) => `change it with: orderctl user update --user ${user} --status ${status}`,
  add_item: ({ item, quantity }) =>
    `add it with: orderctl inventory add --item ${item} --quantity ${quantity}`,
  // Not --quantity: it would overwrite what is on hand.
  add_stock: ({ item, quantity }) =>
    `to put ${quantity} more on hand: orderctl inventory update --item ${item} --by +${quantity}`,
  take_less: ({ item, most }) =>
    `take at most ${most}, or set it: orderctl inventory update --item ${item} --quantity 0`,

  choose_copy: () =>
    'to continue with the other one, leave this one alone; to continue with this one, stop the other first, where it runs: orderctl stop\n' +
    'to use both, give this one an id and a group of its own: orderctl consume --new-id --group NAME',

  begin_storage: () => `name another with --storage, or begin one there by adding to it: ${ADD_FIRST.users}`,
  in_database: ({ folder }) => wayToDatabase(folder),
  migrate_store: () => 'bring it to this version, which shuts out earlier programs: orderctl store migrate',
  finish_replacing: () =>
    'run this again in a moment; where nothing runs that goes on with it: orderctl store migrate',
  finish_orders: () => 'run the shop until all is done: orderctl run --until-end',
  writable_folder: () => 'change who may write there, or use another --storage',
  lasting_disk: ({ medium }) =>
    medium === 'container'
      ? 'mount a volume there: docker run --volume orderctl_storage:/data'
      : 'move the folder to a local disk: orderctl backup DIR, then restore DIR with another --storage',
  as_owner: ({ user }) => `run it as that user: sudo -u '#${user}' orderctl`,
  carry_over: () =>
    'carry over what it changes by orderctl user edit --settled or inventory edit --settled, which then removes it',
  set_price: ({ item }) => `give it one: orderctl inventory update ${item} --price 2.50`,
  name_columns: ({ columns }) =>
    `name the columns in the first line: ${columns.join(', ')}; others are kept as they are\n` +
    `or say what the list calls them: --column ${columns[0] ?? ''}=${columns[0] === 'user' ? 'Login' : 'SKU'}`,
  add_first: ({ table }) => `add one: ${ADD_FIRST[table]}`,
  fill_or_reject: ({ table }) =>
    `name another folder with --storage, or add some: ${ADD_FIRST[table]}\nto reject them all: --allow-empty`,
  check_database: () =>
    'check --store, and that PostgreSQL runs there; "npm run postgres" in the checkout starts one',
  other_database: () => 'create the database (CREATE DATABASE …), or name another with --store',
  name_archives: () => 'name the folder that has all of its archives: --archive DIR',
  other_archives: () => 'name another folder with --to: the archives of a store have one of their own',
  database_credentials: () => 'check the user in --store and ORDERCTL_STORE_PASSWORD',
  stop_owner: () => 'stop it first (a consumer: orderctl stop), or use another folder by --storage',
  end_owner: () => 'wait for it, or end it with: orderctl stop --kill',
  wake_owner: ({ pid }) => `let it go on (kill -CONT ${pid ?? 'PID'}) or end it with: orderctl stop --kill`,

  show_order: ({ orderId }) => `see what became of it: orderctl order show ${orderId}`,
  cancel_order: ({ orderId }) =>
    `cancel it, which gives back what was paid: orderctl order cancel ${orderId}`,
  check_order: ({ canCancelAhead }) =>
    `check the id; where its record waits to be read, "orderctl run" reads it${
      canCancelAhead ? ', and --yet-to-come cancels it before it comes' : ''
    }`,

  list_dead_letters: () => 'see: orderctl dlq list',
  list_dead_letters_of: ({ processor }) => `see: orderctl dlq list --processor ${processor}`,
  other_dlq_topic: () => 'name another with --dlq-topic; "orderctl consume" makes the one of its topic',
  used_dlq_topic: ({ again }) =>
    `name the dead-letter topic that was in use with --dlq-topic; or ${WAYS_OF_POSITIONS.read_again(again)}`,
  dead_letter_ids: () =>
    'use PARTITION:OFFSET, such as 0:17, TOPIC:PARTITION:OFFSET for a topic of another processor, or kept:TOPIC/PARTITION@OFFSET; see: orderctl dlq list',

  make_to_topic: () => 'make it first, or leave out --to-topic',
  send_to_topic: () => '--to-topic sends it to another',
  allow_redrives: ({ count }) => `--max-redrives ${count} sends it again`,

  produce_again: (way) => {
    // Others of the same number have ids of their own.
    const areTheSame = way.inDoubt && (way.resume !== 'count' || way.unknown > 0);
    return `${areTheSame ? 'to send them again under the same ids' : 'to go on'}: ${produceAgain(way)}`;
  },
  replay_again: ({ inDoubt, after, limit }) => {
    const left = limit === null ? '' : ` --limit ${limit}`;
    const way = `run the same command ${after === null ? 'again' : `with --resume-after ${after}${left}`}`;
    if (inDoubt) return `to go on under the same ids: ${way}`;
    return after === null ? way : `to go on, ${way}`;
  },
  events_again: ({ by, eventId }) =>
    by === 'seed'
      ? 'run the same command again: with the same seed the events have the same ids, and count once'
      : `to send one again so that it counts once, give the same --source, --item and --quantity with its id: --order-id ${eventId}`,
  as_new: () => 'add --as-new',
  not_rejected: () => 'leave out --rejected',
  resume_after_id: () => 'give --resume-after the id that the interrupted replay named',
  try_again: ({ orderId }) =>
    `to try it again under a new id: orderctl replay --rejected --order ${orderId} --as-new`,
  order_again: ({ orderId, rejected, by }) =>
    `${by === null ? '' : `it was accepted as ${by}; `}to order the same once more: ` +
    `orderctl replay${rejected ? ' --rejected' : ''} --order ${orderId} --as-new --again`,

  check_brokers: () =>
    'check --brokers, that Kafka runs there, and whether it wants --tls or --sasl-mechanism',
  check_acls: () =>
    'an administrator of the brokers allows it, and sees what is missing: orderctl acl show (access rules, ACLs)',
  no_credentials: () => 'leave out --sasl-mechanism, or use another port',
  check_credentials: () =>
    'check --sasl-mechanism, --sasl-username and ORDERCTL_SASL_PASSWORD (or its _FILE)',
  check_tls: () =>
    'check that this port speaks TLS, and --tls-ca, --tls-cert and --tls-key: the certificate must be signed by ' +
    'that authority and be for the name in --brokers',
  other_topic: () => 'name another with --topic; orderctl consume makes a missing one',
  create_topic: () =>
    'leave out --no-create to have it made, make it with "orderctl setup --execute", or name another with --topic, --dlq-topic or --topics',
  make_topic: ({ topic }) =>
    `make it with "orderctl setup --execute", or ${topic} with Kafka's own tools where no setting names it any more; ` +
    'what waits is sent then',
  show_topics: () => 'see: orderctl topics show',
  apply_topics: () => 'see and mend: orderctl topics apply',
  own_group: () => 'stop what uses it, or give this folder a group of its own with --group NAME',
  own_group_or_adopt: () =>
    'give this folder a group of its own with --group NAME, or take this one over at its committed offsets with: ' +
    'orderctl consume --adopt, or orderctl run --adopt where that works the shop',
  show_offsets: () => 'see: orderctl offsets show',
  show_offsets_of: ({ processor }) => `see: orderctl offsets show --processor ${processor}`,
  apply_topics_of: ({ processor }) =>
    `"orderctl run ${processor}" makes it, and so does: orderctl topics apply --processor ${processor} --execute`,
  offsets_file: () => 'use what orderctl offsets export writes, or kafka-consumer-groups with --export',
  ...WAYS_OF_POSITIONS,

  check_schema: () => 'see the fields: orderctl schema check; or send to another topic with --topic',
  register_schema: () => 'leave out --no-register or --no-create, or register it: orderctl schema register',
  other_registry: () => 'start it, or name another with --registry URL',
  registry_address: () => 'check that --registry is the address of a schema registry with the Confluent API',
  registry_credentials: () => 'check --registry-username and ORDERCTL_REGISTRY_PASSWORD',
};

function nounOf(table: 'users' | 'inventory'): string {
  return table === 'users' ? 'user' : 'inventory';
}

function produceAgain({ resume, next, unknown, rest, orderId }: ProduceAgain): string {
  if (next === null && unknown === 0) return 'run the same command again';
  if (resume === 'order_id') return `the same command with --order-id ${orderId}`;
  if (resume !== 'count') return `the same command with --${resume.replace('_', '-')} ${next ?? 1}`;
  const others = rest > 0 ? [`the same command with --count ${rest}`] : [];
  const inDoubt = unknown > 0 ? ['pass the lines {"type":"unknown",…} to "orderctl produce --file -"'] : [];
  return [...inDoubt, ...others].join(', then ');
}

/** The way out in the words of the command line. */
export function wayOut(advice: Advice): string {
  if (typeof advice === 'string') return advice;
  // It may come from the owner of the folder, which may be another version.
  if (!Object.hasOwn(WAYS, advice.kind)) return 'run the same version of orderctl as the consumer';
  return (WAYS[advice.kind] as (advice: TypedAdvice) => string)(advice);
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The folder of package.json. */
export const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Of this installation. */
export function version(): string {
  const { version: found } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  return found;
}

/** The ways to get a broker that this installation has, one a line. */
export function brokerHints(
  fix: string | null,
  env: Environment,
  root: string = PACKAGE_ROOT,
  cwd: string = process.cwd(),
): string {
  const isHere = resolve(cwd) === resolve(root);
  // What is in the checkout helps those who work in it: an installation has commands.
  const isInCheckout =
    !root.split(sep).includes('node_modules') && !relative(root, cwd).split(sep).includes('..');
  const ways: string[] = fix === null ? [] : [fix];
  ways.push(`to start one in another terminal, for development: ${ownCommand(root, isHere, env)} dev`);
  if (isInCheckout) {
    if (existsSync(join(root, 'deploy/kafka/kafka.mjs')) && onPath('java', env) && onPath('mvn', env)) {
      ways.push('to start a Kafka on this machine: npm run kafka');
    }
    const compose = join(root, 'deploy/docker/docker-compose.yml');
    if (existsSync(compose) && onPath('docker', env)) {
      ways.push(`to start one with Docker: docker compose -f ${quoted(relative(cwd, compose))} up -d --wait`);
    }
  }
  ways.push('to use another cluster: --brokers HOST:PORT');
  return ways.join('\n');
}

/** A command that a text may name. */
export interface NamedCommand {
  readonly name: string;
  /** What its flags say where to find: the store, the whole shop (store, Kafka and registry), or none of these. */
  readonly worksOn: 'nothing' | 'store' | 'shop';
}

/** A setting that was given as a flag, and so holds for no other command. */
export interface GivenFlag {
  readonly flag: string;
  /** null: it takes none. */
  readonly value: string | null;
}

const OF_THE_STORE: ReadonlySet<string> = new Set(['--config', '--store', '--storage']);

/**
 * Commands that a text names, as they can be typed: with the flags that say where this one works, since without them
 * they would do something elsewhere, on the store, topic or group of the defaults; and by npx where npm has found this
 * program, since a shell finds none.
 */
export function rephraser(
  commands: readonly NamedCommand[],
  given: readonly GivenFlag[],
  env: Environment,
): (text: string) => string {
  const byNpm = isByNpm(env);
  if (commands.length === 0 || (given.length === 0 && !byNpm)) return (text) => text;
  const names = commands.map(({ name }) => name).join('|');
  const call = new RegExp(String.raw`\borderctl (${names})\b([^;,"\n]*)`, 'g');
  const repeated = new Map(
    commands.map(({ name, worksOn }) => [
      name,
      given.filter(({ flag }) => worksOn === 'shop' || (worksOn === 'store' && OF_THE_STORE.has(flag))),
    ]),
  );
  const withFlags = (text: string): string =>
    text.replace(call, (_, command: string, rest: string) => {
      const flags = (repeated.get(command) ?? [])
        .filter(({ flag }) => !rest.includes(`${flag} `))
        .map(({ flag, value }) => (value === null ? `${flag} ` : `${flag} ${quoted(value)} `));
      return `orderctl ${flags.join('')}${command}${rest}`;
    });
  if (!byNpm) return withFlags;
  const anyCall = new RegExp(String.raw`(?<!npx )\borderctl (?=--|(?:${names}|help)\b)`, 'g');
  return (text) => withFlags(text).replace(anyCall, 'npx orderctl ');
}

/** By `npx orderctl`, or a script of the checkout such as `npm start`. */
function isByNpm({ npm_lifecycle_script: script = '' }: Environment): boolean {
  return /(^|[\s/"])orderctl(["\s]|$)/.test(script);
}

/** How this installation is called from here. */
function ownCommand(root: string, isHere: boolean, env: Environment): string {
  if (isByNpm(env)) return 'npx orderctl';
  if (onPath('orderctl', env)) return 'orderctl';
  return isHere ? 'npx orderctl' : quoted(join(root, 'bin/orderctl'));
}

/** For a shell. */
export function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

function onPath(program: string, env: Environment): boolean {
  return (env.PATH ?? '').split(delimiter).some((folder) => {
    if (folder === '') return false;
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
