import { Failure } from '../../domain/failure.ts';
import { MESSAGES } from '../../domain/messages/index.ts';
import type { StoreAdmin } from '../../ports/whole/store-admin.ts';
import type { StoreRest } from '../../ports/whole/store-copy.ts';
import type { Outgoing } from '../../ports/store.ts';
import { ENDS } from '../audit/checkout-rules.ts';
import { Erasure } from './erasure.ts';

export interface ErasedUser {
  /** The name that replaces the user from now on. */
  readonly pseudonym: string;
  /** The number of orders, in both flows. */
  readonly orders: number;
  /** The number of lines of history that are rewritten. */
  readonly lines: number;
  /** Places in the store that still contain the name or other personal data; empty before it is executed. */
  readonly left: readonly string[];
}

/** Nothing follows after these steps, or in an order for which no money was taken. */
const FINISHED: ReadonlySet<unknown> = new Set([...ENDS, 'not_charged']);
/** The longest retention of all topics, as declared. */
export const LONGEST_RETENTION_DAYS = Math.max(...MESSAGES.map(({ retentionDays }) => retentionDays));
/** At most this many orders are named in a message. */
const MOST_NAMED = 5;

/**
 * Erases a user from a store that no process is running on: the user gets another name in all tables and in all of
 * history, and all other personal data is removed. Orders, money and stock stay as they are.
 *
 * @param pseudonym a name for which isErased is true
 * @throws Failure not_found: the store has no data about the user, who may have been erased before; not_finished: an
 *   order, an effect or a message still needs the name; as StoreAdmin.source
 */
export async function eraseUser(
  admin: StoreAdmin,
  { user, pseudonym, execute }: { user: string; pseudonym: string; execute: boolean },
): Promise<ErasedUser> {
  await using source = await admin.source(admin.name);
  const erasure = new Erasure(user, pseudonym);
  let lines = 0;
  for await (const chunk of source.history()) {
    for (const line of chunk) if (erasure.line(line) !== line) lines += 1;
  }
  const rest = await source.rest();
  for (const row of rest.users) erasure.user(row);
  await refuseUnfinished(rest, erasure, user);
  const orders = new Set([...erasure.touched.orders, ...erasure.steps.keys()]).size;
  if (lines === 0 && erasure.touched.users.size === 0) throw nothingOf(user, admin.name);
  const left = execute ? await source.rewrite(erasure, [...erasure.texts]) : [];
  return { pseudonym, orders, lines, left };
}

/** Both cases look the same, since the name is not kept anywhere. */
function nothingOf(user: string, store: string): Failure {
  return new Failure('not_found', `${store} has no data about ${user}: no such user, or it was erased`, {
    fix: { kind: 'show_users' },
  });
}

/** Work in progress would bring the name back, or could not continue without it. */
async function refuseUnfinished(rest: StoreRest, erasure: Erasure, user: string): Promise<void> {
  const open = [...erasure.steps].filter(([, steps]) => ![...steps].some((step) => FINISHED.has(step)));
  if (open.length > 0) {
    const named = open.slice(0, MOST_NAMED).map(([order]) => order);
    const more = open.length > named.length ? ` and ${open.length - named.length} more` : '';
    throw new Failure('not_finished', `orders of ${user} are not finished: ${named.join(', ')}${more}`, {
      fix: 'finish, dispatch or cancel them first',
    });
  }
  const name = JSON.stringify(user);
  for (const { id, fields } of rest.effects) {
    if (JSON.stringify(fields).includes(name)) throw stillOwed(user, `${id} is pending`);
  }
  for await (const outgoing of rest.unsent) {
    if (mentions(outgoing, name, user)) throw stillOwed(user, `${outgoing.id} is waiting to be sent`);
  }
}

function mentions(outgoing: Outgoing, name: string, user: string): boolean {
  if (outgoing.kind === 'message') return JSON.stringify(outgoing.fields).includes(name);
  return [outgoing.key, outgoing.value].some((bytes) => bytes !== null && Buffer.from(bytes).includes(user));
}

function stillOwed(user: string, what: string): Failure {
  return new Failure('not_finished', `work for ${user} is not finished: ${what}`, {
    fix: { kind: 'finish_orders' },
  });
}
