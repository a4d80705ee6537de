import { CHECKOUT } from '../../domain/checkout/facts.ts';
import type { LoggedEdit } from '../../domain/edit.ts';
import { NAMED_EDITS, type RowRequest } from '../../domain/edits/conditional.ts';
import type { Fact } from '../../domain/facts.ts';
import type { Decided } from '../../domain/orders/decided.ts';
import type { User } from '../../domain/tables.ts';
import { DELIVERIES } from '../../processors/delivery/facts.ts';
import { NOTIFICATIONS } from '../../processors/notification/processor.ts';
import type { Rewriting } from '../../ports/whole/store-copy.ts';
import type { HistoryLine } from '../../ports/store.ts';

/** Replaces personal data that must not be empty. */
const NOTHING = 'erased';

/**
 * Replaces the name of a user everywhere, and removes other personal data: columns of the table that orderctl does not
 * know, postal addresses, answers of mail servers. Status, orders, money and stock stay.
 */
export class Erasure implements Rewriting {
  readonly touched = {
    users: new Set<string>(),
    orders: new Set<string>(),
    edits: new Set<number>(),
    facts: new Map<string, Set<string>>(),
  };
  /** The steps of each checkout order. */
  readonly steps = new Map<string, Set<unknown>>();
  /** The name, and the addresses and similar texts that were found. */
  readonly texts: Set<string>;
  readonly #name: string;
  readonly #pseudonym: string;
  /** The ids of notifications that were sent to the user. */
  readonly #sent = new Set<unknown>();

  /** @param pseudonym a name for which isErased is true */
  constructor(name: string, pseudonym: string) {
    this.#name = name;
    this.#pseudonym = pseudonym;
    this.texts = new Set([name]);
  }

  readonly line = (line: HistoryLine): HistoryLine => {
    switch (line.kind) {
      case 'edit': {
        const { edit } = line;
        if (edit.kind !== 'user' || edit.user !== this.#name) return line;
        this.touched.edits.add(line.seq ?? 0);
        return { ...line, edit: this.#edit(edit) };
      }
      case 'decision': {
        const { decided } = line;
        if (decided.order.user !== this.#name) return line;
        this.touched.orders.add(decided.order.orderId);
        return { ...line, decided: this.#decided(decided) };
      }
      case 'movement':
        return line;
      case 'fact': {
        const fact = this.#fact(line.log.name, line.fact);
        return fact === line.fact ? line : { ...line, fact };
      }
    }
  };

  readonly user = (row: User): User => {
    if (row.user !== this.#name) return row;
    this.touched.users.add(row.user);
    for (const text of Object.values(row.extra)) this.#note(text);
    return { ...row, user: this.#pseudonym, extra: {} };
  };

  #edit<E extends LoggedEdit & { readonly kind: 'user' }>(edit: E): E {
    const row = (user: User | null): User | null => (user === null ? null : this.user(user));
    const { why } = edit;
    return {
      ...edit,
      user: this.#pseudonym,
      before: row(edit.before),
      after: row(edit.after),
      ...(why === undefined ? {} : { why: this.#text(why) }),
    };
  }

  #decided({ order, outcome, ...rest }: Decided): Decided {
    return {
      ...rest,
      order: { ...order, user: this.#pseudonym },
      outcome: outcome.kind === 'accepted' ? outcome : { ...outcome, detail: this.#text(outcome.detail) },
    };
  }

  #fact(log: string, fact: Fact): Fact {
    switch (log) {
      case CHECKOUT.name:
        return this.#step(fact);
      case NOTIFICATIONS.name:
        if (this.steps.has(String(fact.order_id))) this.#sent.add(fact.notification_id);
        return fact;
      case DELIVERIES.name:
        // The answer of a mail server may contain the address.
        if (!this.#sent.has(fact.delivery_id) || fact.detail === null) return fact;
        this.#touch(log, fact.delivery_id);
        return { ...fact, detail: NOTHING };
      case NAMED_EDITS.name: {
        const { key, request, edit } = fact as { key: string; request: RowRequest; edit: LoggedEdit };
        if (!('user' in request) || request.user !== this.#name) return fact;
        this.#touch(log, key);
        const after = edit.kind === 'user' ? this.#edit(edit) : edit;
        return { ...fact, request: { ...request, user: this.#pseudonym }, edit: after };
      }
      default:
        return fact;
    }
  }

  #step(fact: Fact): Fact {
    const order = String(fact.order_id);
    if (fact.customer_id === this.#name) this.steps.set(order, this.steps.get(order) ?? new Set());
    this.steps.get(order)?.add(fact.step);
    if (fact.customer_id !== this.#name) return fact;
    this.#touch(CHECKOUT.name, order);
    this.#note(fact.shipping_address);
    return {
      ...fact,
      customer_id: this.#pseudonym,
      shipping_address: NOTHING,
      ...('detail' in fact ? { detail: this.#text(String(fact.detail)) } : {}),
    };
  }

  #touch(log: string, key: unknown): void {
    const keys = this.touched.facts.get(log) ?? new Set();
    this.touched.facts.set(log, keys.add(String(key)));
  }

  /** Short texts, such as `log`, identify no one and occur everywhere. */
  #note(text: unknown): void {
    if (typeof text === 'string' && text.length >= 6 && text !== NOTHING) this.texts.add(text);
  }

  /** Replaces words that are the name. */
  #text(text: string): string {
    return text
      .split(' ')
      .map((word) => (word === this.#name ? this.#pseudonym : word))
      .join(' ');
  }
}
