import type { Advice } from './advice.ts';
import { Failure } from './failure.ts';
import type { ProcessorName } from './messages/message.ts';
import { isName, NAME_RULE } from './names.ts';
import {
  CATEGORY,
  ITEM_DETAILS,
  isPrice,
  isQuantity,
  leastStock,
  meantPrices,
  NO_DETAILS,
  normalizePrice,
  type Item,
  type ItemDetail,
  type ItemDetails,
  type User,
  type UserStatus,
} from './tables.ts';

/** A reason is a sentence or two. */
const MAX_WHY_LENGTH = 1_000;

/** A requested change. The edit that results depends on the tables at that moment. */
export type EditRequest =
  | { readonly kind: 'user.add' | 'user.update'; readonly user: string; readonly status: UserStatus }
  | { readonly kind: 'user.remove'; readonly user: string }
  | ({ readonly kind: 'item.add'; readonly item: string; readonly quantity: number } & GivenDetails)
  | ({
      readonly kind: 'item.update';
      readonly item: string;
      readonly quantity?: number;
      /** Added to the stock on hand; may be negative. Mutually exclusive with `quantity`. */
      readonly by?: number;
    } & GivenDetails)
  | { readonly kind: 'item.remove'; readonly item: string }
  | {
      readonly kind: 'dead_letter.mark';
      readonly topic: string;
      readonly action: DeadLetterAction;
      readonly why: string;
      readonly letters: readonly MarkedDeadLetter[];
    };

export type DeadLetterAction = 'redriven' | 'discarded';

/** A dead letter that was redriven or discarded. */
export interface MarkedDeadLetter {
  /** PARTITION:OFFSET in its topic, or the name of a dead letter that is kept in the folder. */
  readonly id: string;
  /** Identifies the dead letter: equal for two copies of it, different if the topic was recreated. */
  readonly key: string;
}

/** A field that is left out stays as it is; null or an empty string (an empty cell in a CSV) clears it. */
export type GivenDetails = Partial<ItemDetails> & { readonly category?: string | null };

/**
 * A change that was made, as the row before and after it; null means that the row did not exist. Moves of a stored
 * position and actions on dead letters are edits too, although they change no table.
 */
export type Edit =
  | {
      readonly kind: 'user';
      readonly user: string;
      readonly before: User | null;
      readonly after: User | null;
    }
  | {
      readonly kind: 'item';
      readonly item: string;
      readonly before: Item | null;
      readonly after: Item | null;
    }
  | {
      readonly kind: 'position';
      readonly processor: ProcessorName;
      readonly topic: string;
      readonly partition: number;
      /** Next offset to read; null when the partition had no stored position. */
      readonly before: number | null;
      readonly after: number;
      /**
       * `reset`: by a command of orderctl; `group_moved`: by another tool; `adopt`: an existing group was taken over.
       */
      readonly cause: 'reset' | 'group_moved' | 'adopt';
      /** `before` belongs to another cluster or to a topic deleted since: nothing of the current topic was read. */
      readonly recreated?: true;
    }
  | {
      readonly kind: 'dead_letter';
      /** The dead-letter topic. */
      readonly topic: string;
      readonly action: DeadLetterAction;
      /** The reason given, or the replay that sent the dead letters. */
      readonly why: string;
      readonly letters: readonly MarkedDeadLetter[];
    };

/** How an edit was made. `sql`: by a statement run on the tables of the database. */
export type EditVia = 'command' | 'file' | 'import' | 'undo' | 'consume' | 'http' | 'sql';

/** The origin of an edit, for the log of edits. */
export interface EditOrigin {
  readonly via: EditVia;
  /** The reason given by the user. */
  readonly why?: string | undefined;
  /** The number of the edit that this one undoes. */
  readonly undoes?: number | undefined;
}

/** An edit as stored in the log of edits. */
export type LoggedEdit = Edit &
  EditOrigin & {
    /** Milliseconds since the epoch. */
    readonly at: number;
    /** The operating-system user name of the user who made it. */
    readonly by: string;
    /** The copy of a table in which it was made. */
    readonly copy?: string;
  };

/** @throws Failure invalid_value */
export function checkWhy(why: string): void {
  // The reason is printed on one line of a table: it must be short, and a control character could break the line.
  if (why.trim() !== '' && why.length <= MAX_WHY_LENGTH && !/\p{Cc}/u.test(why)) return;
  throw new Failure('invalid_value', `${JSON.stringify(why.slice(0, 40))} is not a reason for an edit`, {
    fix: `say why on one line, in 1 to ${MAX_WHY_LENGTH} characters`,
  });
}

export interface EditState {
  user(user: string): User | undefined;
  item(item: string): Item | undefined;
}

/**
 * Turns a request into the edit that it makes to these tables.
 *
 * @throws Failure invalid_value, already_exists, not_found
 */
export function decideEdit(request: EditRequest, state: EditState): Edit {
  switch (request.kind) {
    case 'user.add':
    case 'user.update':
    case 'user.remove':
      return decideUserEdit(request, state);
    case 'item.add':
      return addItem(request, state);
    case 'item.update':
      return updateItem(request, state);
    case 'item.remove': {
      const before = existingItem(request.item, state, { kind: 'show_items' });
      return { kind: 'item', item: request.item, before, after: null };
    }
    case 'dead_letter.mark':
      return markDeadLetters(request);
  }
}

function decideUserEdit(
  request: Extract<EditRequest, { kind: 'user.add' | 'user.update' | 'user.remove' }>,
  state: EditState,
): Edit {
  const { user } = request;
  const before = state.user(user) ?? null;
  if (request.kind === 'user.add') {
    checkName('user', user);
    if (before !== null) {
      throw new Failure('already_exists', `user ${user} already exists (${before.status})`, {
        fix:
          before.status === request.status
            ? { kind: 'show_users' }
            : { kind: 'change_user', user, status: request.status },
      });
    }
    return { kind: 'user', user, before, after: { user, status: request.status, extra: {} } };
  }
  if (before === null) {
    throw new Failure('not_found', `user ${user} does not exist`, {
      fix:
        request.kind === 'user.remove'
          ? { kind: 'show_users' }
          : { kind: 'add_user', user, status: request.status },
    });
  }
  if (request.kind === 'user.remove') return { kind: 'user', user, before, after: null };
  return { kind: 'user', user, before, after: { ...before, status: request.status } };
}

function addItem(request: Extract<EditRequest, { kind: 'item.add' }>, state: EditState): Edit {
  const { item, quantity } = request;
  checkName('item', item);
  checkQuantity(item, quantity);
  const before = state.item(item) ?? null;
  if (before !== null) {
    throw new Failure('already_exists', `item ${item} already exists (${before.quantity} on hand)`, {
      fix: { kind: 'add_stock', item, quantity },
    });
  }
  const bare: Item = { item, quantity, ...NO_DETAILS, extra: {} };
  return { kind: 'item', item, before, after: { ...bare, ...checkedDetails(request, bare) } };
}

function updateItem(request: Extract<EditRequest, { kind: 'item.update' }>, state: EditState): Edit {
  const { item } = request;
  if (request.quantity !== undefined && request.by !== undefined) {
    throw new Failure('invalid_value', 'a quantity cannot be both set and adjusted');
  }
  const before = existingItem(item, state, { kind: 'add_item', item, quantity: request.quantity ?? 10 });
  const quantity = request.quantity ?? before.quantity + (request.by ?? 0);
  if (request.by !== undefined && quantity < leastStock(before.quantity)) {
    throw new Failure(
      'invalid_value',
      `item ${item} has ${before.quantity} on hand; ${request.by} would take it below zero`,
      { fix: { kind: 'take_less', item, most: Math.max(0, before.quantity) } },
    );
  }
  // Stock that is already below zero may rise, and the other cells of its row may change.
  if (!(quantity < 0 && quantity >= before.quantity)) checkQuantity(item, quantity);
  return { kind: 'item', item, before, after: { ...before, quantity, ...checkedDetails(request, before) } };
}

function existingItem(item: string, state: EditState, fix: Advice): Item {
  const found = state.item(item);
  if (found !== undefined) return found;
  throw new Failure('not_found', `item ${item} does not exist`, { fix });
}

function markDeadLetters(request: Extract<EditRequest, { kind: 'dead_letter.mark' }>): Edit {
  const { topic, action, why, letters } = request;
  if (letters.length === 0) throw new Failure('invalid_value', 'no dead letters are given');
  if (why.trim() === '' || why.length > MAX_WHY_LENGTH) {
    throw new Failure(
      'invalid_value',
      `the reason for which dead letters are ${action} has ${why.length} characters`,
      { fix: `say why in 1 to ${MAX_WHY_LENGTH} characters` },
    );
  }
  return { kind: 'dead_letter', topic, action, why, letters };
}

function checkName(what: string, name: string): void {
  if (!isName(name)) {
    throw new Failure('invalid_value', `${what} name ${JSON.stringify(name)} is not allowed`, {
      fix: `use ${NAME_RULE}`,
    });
  }
}

function checkQuantity(item: string, quantity: number): void {
  if (!isQuantity(quantity)) {
    throw new Failure(
      'invalid_value',
      `quantity of ${item} is ${quantity}, not a whole number from 0 to 2^53-1`,
    );
  }
}

function checkedDetails(details: GivenDetails, { extra }: Item): Partial<Item> {
  const checked = ITEM_DETAILS.flatMap((detail) => {
    const value = details[detail.field];
    if (value === undefined) return [];
    return [[detail.field, value === null || value === '' ? null : checkedDetail(detail, value)] as const];
  });
  const own = Object.fromEntries(checked) as Partial<ItemDetails>;
  const category = details.category ?? '';
  checkText('category', category);
  const isCategorySet = details.category !== undefined && (category !== '' || CATEGORY in extra);
  return isCategorySet ? { ...own, extra: { ...extra, [CATEGORY]: category } } : own;
}

/** @returns the value as it is stored @throws Failure invalid_value */
function checkedDetail({ kind, label }: ItemDetail, value: string | number): string | number {
  if (typeof value === 'number') {
    if (isQuantity(value)) return value;
    throw new Failure('invalid_value', `${label} ${value} is not a whole number from 0 up`);
  }
  if (kind !== 'price') {
    checkText(`item ${label}`, value);
    return value;
  }
  if (isPrice(value)) return normalizePrice(value);
  const meant = meantPrices(value);
  throw new Failure('invalid_value', `${label} ${JSON.stringify(value)} is not an amount such as 12.50`, {
    fix:
      meant.length === 0
        ? 'use up to eight digits and at most two decimals'
        : `write ${meant.join(' or ')}: use a decimal point, at most two decimals and no thousands separator`,
  });
}

/** @throws Failure invalid_value */
export function checkText(what: string, text: string): void {
  // A line break or another control character would make the row span several lines of the CSV file.
  if (text.length <= 256 && !/\p{Cc}/u.test(text) && !/^[=+\-@]/.test(text)) return;
  throw new Failure('invalid_value', `${what} ${JSON.stringify(text.slice(0, 300))} is not allowed`, {
    fix: 'use at most 256 characters, without control characters, and do not start with = + - or @',
  });
}
