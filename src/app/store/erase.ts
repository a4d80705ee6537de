import { Failure } from '../../domain/failure.ts';
import { MESSAGES } from '../../domain/messages/index.ts';
import type { StoreAdmin } from '../../ports/whole/store-admin.ts';
import type { StoreRest } from '../../ports/whole/store-copy.ts';
import type { Outgoing } from '../../ports/store.ts';
import { ENDS } from '../audit/checkout-rules.ts';
import { Erasure } from './erasure.ts';

export interface ErasedUser {
  /** What stands for the user from here on. */
  readonly pseudonym: string;
  /** Of both flows. */
  readonly orders: number;
  /** Lines of history that are written again. */
  readonly lines: number;
  /** Places in the store that still hold the name, or what else was there; none before it is executed. */
  readonly left: readonly string[];
}

/** Nothing follows from these, nor from an order that no money was taken for. */
const FINISHED: ReadonlySet<unknown> = new Set([...ENDS, 'not_charged']);
/** Of all topics, as they are declared. */
export const LONGEST_RETENTION_DAYS = Math.max(...MESSAGES.map(({ retentionDays }) => retentionDays));
/** So many are named. */
const MOST_NAMED = 5;

/**
 * Takes a person out of a store that nothing runs on: another name stands for the user in all tables and all of history, and what
 * else says who it was is gone. Orders, money and stock stay as they are.
 *
 * @param pseudonym for which isErased
 * @throws Failure not_found: there is nothing of such a user, maybe since it was erased; not_finished: an order, an effect or a message still needs the name; those of `source` of StoreAdmin
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

/** Which of the two it is cannot be known: the name is kept nowhere. */
function nothingOf(user: string, store: string): Failure {
  return new Failure('not_found', `there is nothing of ${user} in ${store}: it never was, or it is erased`, {
    fix: { kind: 'show_users' },
  });
}

/** What is under way would bring the name back, or could not go on without it. */
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
    if (JSON.stringify(fields).includes(name)) throw stillOwed(user, `${id} is owed`);
  }
  for await (const outgoing of rest.unsent) {
    if (mentions(outgoing, name, user)) throw stillOwed(user, `${outgoing.id} waits to be sent`);
  }
}

function mentions(outgoing: Outgoing, name: string, user: string): boolean {
  if (outgoing.kind === 'message') return JSON.stringify(outgoing.fields).includes(name);
  return [outgoing.key, outgoing.value].some((bytes) => bytes !== null && Buffer.from(bytes).includes(user));
}

function stillOwed(user: string, what: string): Failure {
  return new Failure('not_finished', `something about ${user} is not done yet: ${what}`, {
    fix: { kind: 'finish_orders' },
  });
}
