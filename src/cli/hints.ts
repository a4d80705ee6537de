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
  show_suppliers: () => 'see the suppliers: orderctl supplier show',
  show_items: () => 'see the items: orderctl inventory show',
  show_edits: ({ table }) => `see: orderctl ${nounOf(table)} log`,
  undo_edit: ({ table, number }) => `undo that edit: orderctl ${nounOf(table)} undo --edit ${number}`,
  change_supplier: ({ supplier }) =>
    `change it: orderctl supplier update ${supplier}; see all suppliers: orderctl supplier show`,
  add_user: ({ user, status }) => `add it with: orderctl user add --user ${user} --status ${status}`,
  change_user: ({ user, status }) => `change it with: orderctl user update --user ${user} --status ${status}`,
  add_item: ({ item, quantity }) =>
    `add it with: orderctl inventory add --item ${item} --quantity ${quantity}`,
  // Not --quantity, which would overwrite the stock.
  add_stock: ({ item, quantity }) =>
    `to add ${quantity} to the stock: orderctl inventory update --item ${item} --by +${quantity}`,
  take_less: ({ item, most }) =>
    `subtract at most ${most}, or set the stock: orderctl inventory update --item ${item} --quantity 0`,

  choose_copy: () =>
    'to continue with the other folder, do not use this one; to continue with this one, stop the other first, where it runs: orderctl stop\n' +
    'to use both, give this one an id and a group of its own: orderctl consume --new-id --group NAME',

  commit_numbers: () =>
    'the number of a commit is "seq": in a folder in the lines of orders.jsonl and rejections.jsonl, in a database in the table orders',
  run_command: ({ command }) => `run it on the command line: orderctl ${command}`,
  begin_storage: () =>
    `name another with --storage, or create one there with a first user: ${ADD_FIRST.users}`,
  in_database: ({ folder }) => wayToDatabase(folder),
  migrate_store: () => 'upgrade it, after which earlier versions refuse it: orderctl store migrate',
  finish_replacing: () =>
    'run this again in a moment; if no process is left to finish it: orderctl store migrate',
  finish_orders: () => 'run the shop until everything is done: orderctl run --until-end',
  writable_folder: () => 'change the permissions of the folder, or use another --storage',
  lasting_disk: ({ medium }) =>
    medium === 'container'
      ? 'mount a volume there: docker run --volume orderctl_storage:/data'
      : 'move the folder to a local disk: orderctl backup DIR, then restore DIR with another --storage',
  as_owner: ({ user }) => `run it as that user: sudo -u '#${user}' orderctl`,
  carry_over: () =>
    'apply its changes with orderctl user edit --settled or inventory edit --settled, which then deletes it',
  set_price: ({ item }) => `set one: orderctl inventory update ${item} --price 2.50`,
  name_columns: ({ columns }) =>
    `name the columns in the first line: ${columns.join(', ')}; other columns are stored as they are\n` +
    `or map the names that the file uses: --column ${columns[0] ?? ''}=${columns[0] === 'user' ? 'Login' : 'SKU'}`,
  add_first: ({ table }) => `add one: ${ADD_FIRST[table]}`,
  fill_or_reject: ({ table }) =>
    `name another folder with --storage, or add some: ${ADD_FIRST[table]}\nto reject all orders: --allow-empty`,
  check_database: () =>
    'check --store, and that PostgreSQL runs there; "npm run postgres" in the checkout starts one',
  other_database: () => 'create the database (CREATE DATABASE …), or name another with --store',
  name_archives: () => 'name the folder with all archives of the store: --archive DIR',
  other_archives: () => 'name another folder with --to: each store needs its own folder for archives',
  database_credentials: () => 'check the user in --store and ORDERCTL_STORE_PASSWORD',
  stop_owner: () => 'stop it first (a consumer: orderctl stop), or use another folder with --storage',
  end_owner: () => 'wait for it, or end it with: orderctl stop --kill',
  wake_owner: ({ pid }) => `resume it (kill -CONT ${pid ?? 'PID'}) or end it with: orderctl stop --kill`,

  list_orders: () => 'see the ids: orderctl order list',
  show_order: ({ orderId }) => `see its outcome: orderctl order show ${orderId}`,
  cancel_order: ({ orderId }) => `cancel it, which refunds the payment: orderctl order cancel ${orderId}`,
  check_order: ({ canCancelAhead }) =>
    `check the id; if its record is still unread, "orderctl run" reads it${
      canCancelAhead ? ', and --yet-to-come cancels the order before it arrives' : ''
    }`,

  list_dead_letters: () => 'see: orderctl dlq list',
  list_dead_letters_of: ({ processor }) => `see: orderctl dlq list --processor ${processor}`,
  other_dlq_topic: () => 'name another with --dlq-topic; "orderctl consume" creates the one of its topic',
  used_dlq_topic: ({ again }) =>
    `name the dead-letter topic that was used before with --dlq-topic; or ${WAYS_OF_POSITIONS.read_again(again)}`,
  dead_letter_ids: () =>
    'use PARTITION:OFFSET, such as 0:17, TOPIC:PARTITION:OFFSET for a topic of another processor, or kept:TOPIC/PARTITION@OFFSET; see: orderctl dlq list',

  make_to_topic: () => 'create it first, or omit --to-topic',
  send_to_topic: () => 'send it to another topic with --to-topic',
  allow_redrives: ({ count }) => `to send it again: --max-redrives ${count}`,

  produce_again: (way) => {
    // With --count the remaining orders are different ones, with other ids.
    const areTheSame = way.inDoubt && (way.resume !== 'count' || way.unknown > 0);
    return `${areTheSame ? 'to send them again under the same ids' : 'to continue'}: ${produceAgain(way)}`;
  },
  replay_again: ({ inDoubt, after, limit }) => {
    const left = limit === null ? '' : ` --limit ${limit}`;
    const way = `run the same command ${after === null ? 'again' : `with --resume-after ${after}${left}`}`;
    if (inDoubt) return `to continue under the same ids: ${way}`;
    return after === null ? way : `to continue, ${way}`;
  },
  events_again: ({ by, eventId }) =>
    by === 'seed'
      ? 'run the same command again: the same seed gives the events the same ids, so each counts once'
      : `to send it again so that it counts once, repeat --source, --item and --quantity with its id: --order-id ${eventId}`,
  as_new: () => 'add --as-new',
  not_rejected: () => 'omit --rejected',
  resume_after_id: () => 'pass --resume-after the id that the interrupted replay printed',
  try_again: ({ orderId }) =>
    `to try it again under a new id: orderctl replay --rejected --order ${orderId} --as-new`,
  order_again: ({ orderId, rejected, by }) =>
    `${by === null ? '' : `it was accepted as ${by}; `}to order the same once more: ` +
    `orderctl replay${rejected ? ' --rejected' : ''} --order ${orderId} --as-new --again`,

  check_brokers: () => 'check --brokers, and whether Kafka runs there and requires --tls or --sasl-mechanism',
  check_acls: () =>
    'ask an administrator of the brokers for the missing access rules (ACLs), listed by: orderctl acl show',
  no_credentials: () => 'omit --sasl-mechanism, or use another port',
  check_credentials: () =>
    'check --sasl-mechanism, --sasl-username and ORDERCTL_SASL_PASSWORD (or its _FILE)',
  check_tls: () =>
    'check that this port uses TLS, and --tls-ca, --tls-cert and --tls-key: the certificate must be signed by ' +
    'that authority and valid for the name in --brokers',
  other_topic: () => 'name another with --topic; orderctl consume creates a missing one',
  create_topic: () =>
    'omit --no-create, create it with "orderctl setup --execute", or name another with --topic, --dlq-topic or --topics',
  make_topic: ({ topic }) =>
    `create it with "orderctl setup --execute"; if no setting names ${topic} any more, use Kafka's own tools; ` +
    'pending messages are sent then',
  show_topics: () => 'see: orderctl topics show',
  apply_topics: () => 'see the differences and fix them: orderctl topics apply',
  own_group: () => 'stop the members of the group, or give this folder a group of its own with --group NAME',
  own_group_or_adopt: () =>
    'give this folder a group of its own with --group NAME, or take this one over at its committed offsets with: ' +
    'orderctl consume --adopt, or orderctl run --adopt if the shop is run that way',
  show_offsets: () => 'see: orderctl offsets show',
  show_offsets_of: ({ processor }) => `see: orderctl offsets show --processor ${processor}`,
  apply_topics_of: ({ processor }) =>
    `create it with "orderctl run ${processor}", or: orderctl topics apply --processor ${processor} --execute`,
  offsets_file: () =>
    'use a file written by orderctl offsets export, or by kafka-consumer-groups with --export',
  ...WAYS_OF_POSITIONS,

  check_schema: () => 'see the incompatible fields: orderctl schema check; or use another topic with --topic',
  register_schema: () => 'omit --no-register or --no-create, or register it: orderctl schema register',
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

/** The fix, in words and commands of the command line. */
export function wayOut(advice: Advice): string {
  if (typeof advice === 'string') return advice;
  // Advice from the owner of the folder may be of another version.
  if (!Object.hasOwn(WAYS, advice.kind)) return 'run the same version of orderctl as the consumer';
  return (WAYS[advice.kind] as (advice: TypedAdvice) => string)(advice);
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The folder of package.json. */
export const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The version of this installation. */
export function version(): string {
  const { version: found } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  return found;
}

/** How to get a broker with this installation, one way per line. @param fix a first line, if any */
export function brokerHints(
  fix: string | null,
  env: Environment,
  root: string = PACKAGE_ROOT,
  cwd: string = process.cwd(),
): string {
  const isHere = resolve(cwd) === resolve(root);
  // Scripts of the checkout are only for users who work in it.
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

/** A command that a message may name. */
export interface NamedCommand {
  readonly name: string;
  /** What its global options locate: the store, the whole shop (store, Kafka and registry), or none of these. */
  readonly worksOn: 'nothing' | 'store' | 'shop';
}

/** A setting that was given as a flag, so a command in a message must repeat it. */
export interface GivenFlag {
  readonly flag: string;
  /** null: a flag without a value. */
  readonly value: string | null;
}

const OF_THE_STORE: ReadonlySet<string> = new Set(['--config', '--store', '--storage']);

/**
 * Returns a function that makes the commands in a message ready to type: it adds the given flags, without which a
 * command would use the default store, topic or group; and `npx`, if this program was started by npm and may not be
 * on the PATH.
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

/** Whether it was started by `npx orderctl`, or by a script of the checkout such as `npm start`. */
function isByNpm({ npm_lifecycle_script: script = '' }: Environment): boolean {
  return /(^|[\s/"])orderctl(["\s]|$)/.test(script);
}

/** The command that runs this installation. @param isHere whether the working directory is its root */
function ownCommand(root: string, isHere: boolean, env: Environment): string {
  if (isByNpm(env)) return 'npx orderctl';
  if (onPath('orderctl', env)) return 'orderctl';
  return isHere ? 'npx orderctl' : quoted(join(root, 'bin/orderctl'));
}

/** Quotes a path for a shell. */
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
