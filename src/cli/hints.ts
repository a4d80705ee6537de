import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Advice, TypedAdvice } from '../domain/advice.ts';

type Ways = {
  readonly [K in TypedAdvice['kind']]: (advice: TypedAdvice & { readonly kind: K }) => string;
};

const WAYS: Ways = {
  in_turn: ({ steps }) => steps.map(wayOut).join('; then '),

  show_users: () => 'see who there is: orderctl user show',
  show_items: () => 'see what there is: orderctl inventory show',
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
    'to go on with the other one, leave this one alone; to go on with this one, stop the other first, where it runs: orderctl stop\n' +
    'to use both, give this one an id and a group of its own: orderctl consume --new-id --group NAME',

  letter_ids: () =>
    'use PARTITION:OFFSET, such as 0:17, or kept:TOPIC/PARTITION@OFFSET; see: orderctl dlq list',
};

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

/** The ways to get a broker that this installation has, one a line. */
export function brokerHints(
  fix: string | null,
  env: Environment,
  root: string = PACKAGE_ROOT,
  cwd: string = process.cwd(),
): string {
  const isHere = resolve(cwd) === resolve(root);
  // What lies in the checkout is of use to who works in it: an installation has commands.
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
      ways.push(`to start one with Docker: docker compose -f ${quoted(relative(cwd, compose))} up -d`);
    }
  }
  ways.push('to use another cluster: --brokers HOST:PORT');
  return ways.join('\n');
}

/** Commands that work on a storage folder, and which of them look at Kafka too. */
const ON_FILES = ['user', 'inventory', 'status', 'stop'];
const ON_KAFKA = ['produce', 'consume', 'replay', 'order', 'offsets', 'dlq', 'audit', 'doctor'];
const CALL = new RegExp(String.raw`\borderctl (${[...ON_FILES, ...ON_KAFKA].join('|')})\b([^;,"\n]*)`, 'g');

/** A setting that was given as a flag, and so holds for no other command. */
export interface GivenFlag {
  readonly flag: string;
  readonly value: string;
}

/**
 * Commands that a text names, with the flags that say where this one works: without them they would do something
 * elsewhere, on the folder, topic or group of the defaults.
 */
export function repeatPlaces(text: string, given: readonly GivenFlag[]): string {
  if (given.length === 0) return text;
  return text.replace(CALL, (_, command: string, rest: string) => {
    const flags = given
      .filter(
        ({ flag }) => (flag === '--storage' || ON_KAFKA.includes(command)) && !rest.includes(`${flag} `),
      )
      .map(({ flag, value }) => `${flag} ${quoted(value)} `);
    return `orderctl ${flags.join('')}${command}${rest}`;
  });
}

/** How this installation is called from here. */
function ownCommand(root: string, isHere: boolean, env: Environment): string {
  if (onPath('orderctl', env)) return 'orderctl';
  return isHere ? 'npx orderctl' : quoted(join(root, 'bin/orderctl'));
}

function quoted(path: string): string {
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
