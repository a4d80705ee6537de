import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Edit } from '../../../src/domain/edit.ts';
import { ALERT, type Alert } from '../../../src/domain/messages/shop/alert.ts';
import { INVENTORY_EVENT, type InventoryEvent } from '../../../src/domain/messages/shop/inventory-event.ts';
import { parseMessage } from '../../../src/domain/messages/parse.ts';
import type { OutgoingMessage } from '../../../src/domain/messages/outgoing.ts';
import type { Order } from '../../../src/domain/orders/order.ts';
import type { Item } from '../../../src/domain/tables.ts';
import { orders } from '../../../src/processors/orders/processor.ts';
import {
  announceEdits,
  announceMissed,
  missedItems,
  REVISIONS,
  StockEvents,
} from '../../../src/processors/stock-events.ts';
import { PlainState } from '../../support/plain-state.ts';

const RULES = { lowStock: 1 };
const ORDERS = orders({ events: RULES, users: 'optional' });

function order(orderId: string, ...lines: readonly (readonly [string, number])[]): Order {
  const items = lines.map(([item, quantity]) => ({ item, quantity, unitPrice: null }));
  return { orderId, user: '', items, createdAt: 0 };
}

/** Decides a batch and applies it. @returns what it sends */
function sell(state: PlainState, ...batch: readonly Order[]): readonly OutgoingMessage[] {
  const { changes } = ORDERS.decide(
    batch.map((message, offset) => ({
      source: 'orders',
      traceparent: null,
      message,
      record: { topic: 'orders', partition: 0, offset },
    })),
    state,
  );
  state.apply(changes);
  return changes.outgoing ?? [];
}

function edit(state: PlainState, item: string, row: Partial<Item> | null): readonly OutgoingMessage[] {
  const before = state.item(item) ?? null;
  const bare: Item = { item, quantity: 0, name: null, price: null, reorderLevel: null, extra: {} };
  const made: Edit = {
    kind: 'item',
    item,
    before,
    after: row === null ? null : { ...(before ?? bare), ...row },
  };
  const { small, outgoing } = announceEdits(RULES, [made], state);
  state.apply({ edits: [made], small });
  return outgoing;
}

/** What a shop announces when it starts. */
function missed(state: PlainState): readonly OutgoingMessage[] {
  const rows = [...state.items.keys(), 'desk'].flatMap((item) => {
    const row = state.small(REVISIONS, item);
    return row === undefined ? [] : ([[item, row]] as const);
  });
  const { small, outgoing } = announceMissed(RULES, missedItems(new Map(rows), state.items.values()), state);
  state.apply({ small });
  return outgoing;
}

const events = (sent: readonly OutgoingMessage[]): InventoryEvent[] =>
  sent.filter(({ type }) => type === INVENTORY_EVENT.name).map(({ fields }) => fields as InventoryEvent);
const alerts = (sent: readonly OutgoingMessage[]): Alert[] =>
  sent.filter(({ type }) => type === ALERT.name).map(({ fields }) => fields as Alert);
const kinds = (sent: readonly OutgoingMessage[]): string[] =>
  alerts(sent).map(({ kind, item }) => `${kind} ${item}`);

describe('events of stock', () => {
  it('an order that takes the last but one makes an event and one alert', () => {
    const state = new PlainState().withItems({ 'P-567': 4 });
    const sent = sell(state, order('ORD-1', ['P-567', 3]));
    expect(sent.map(({ id, key }) => [id, key])).toEqual([
      ['shop/inventory-events/P-567/1', 'P-567'],
      ['shop/alerts/P-567/1/low_stock', 'P-567'],
    ]);
    expect(events(sent)).toEqual([
      {
        event_id: 'shop/inventory-events/P-567/1',
        item: 'P-567',
        revision: 1,
        delta: -3,
        on_hand: 1,
        cause: 'sale',
        order_id: 'ORD-1',
        at: state.at,
      },
    ]);
    expect(alerts(sent)).toEqual([
      {
        event_id: 'shop/alerts/P-567/1/low_stock',
        kind: 'low_stock',
        item: 'P-567',
        revision: 1,
        on_hand: 1,
        reorder_level: 1,
        order_id: 'ORD-1',
        at: state.at,
        message: 'Low stock alert for Product P-567: only 1 item left!',
      },
    ]);
    for (const { type, fields } of sent) {
      const { schema } = type === ALERT.name ? ALERT : INVENTORY_EVENT;
      expect(parseMessage(schema, fields)).toEqual({ value: fields });
    }
  });

  it('each order of a batch is an event, its lines of one item together, and revisions go on in the next batch', () => {
    const state = new PlainState().withItems({ pen: 100, book: 100 });
    const first = sell(state, order('A', ['pen', 1], ['book', 2], ['pen', 3]), order('B', ['pen', 5]));
    expect(
      events(first).map(({ item, revision, delta, on_hand }) => [item, revision, delta, on_hand]),
    ).toEqual([
      ['pen', 1, -4, 96],
      ['book', 1, -2, 98],
      ['pen', 2, -5, 91],
    ]);
    const second = sell(state, order('C', ['pen', 1]), order('A', ['pen', 1]));
    expect(events(second)).toMatchObject([{ item: 'pen', revision: 3, on_hand: 90, order_id: 'C' }]);
  });

  it('a batch that is decided again on the same state sends the same', () => {
    const state = new PlainState().withItems({ pen: 4 });
    const decide = (): unknown =>
      ORDERS.decide(
        [
          {
            source: 'orders',
            traceparent: null,
            message: order('A', ['pen', 3]),
            record: { topic: 'orders', partition: 0, offset: 0 },
          },
          {
            source: 'orders',
            traceparent: null,
            message: order('B', ['pen', 2]),
            record: { topic: 'orders', partition: 0, offset: 1 },
          },
        ],
        state,
      );
    expect(decide()).toEqual(decide());
  });

  it("low_stock comes once for each crossing of the item's own level, or of the shop's", () => {
    const state = new PlainState().withItems({ own: { quantity: 10, reorderLevel: 5 }, shops: 10 });
    expect(kinds(sell(state, order('A', ['own', 4], ['shops', 4])))).toEqual([]);
    expect(kinds(sell(state, order('B', ['own', 1], ['shops', 1])))).toEqual(['low_stock own']);
    expect(kinds(sell(state, order('C', ['own', 1], ['shops', 4])))).toEqual(['low_stock shops']);
    expect(kinds(edit(state, 'own', { quantity: 6 }))).toEqual([]);
    expect(kinds(sell(state, order('D', ['own', 1])))).toEqual(['low_stock own']);
  });

  it('out_of_stock comes when the last one goes, and says so', () => {
    const state = new PlainState().withItems({ pen: 2 });
    const sent = sell(state, order('A', ['pen', 1]), order('B', ['pen', 1]));
    expect(alerts(sent).map(({ message }) => message)).toEqual([
      'Low stock alert for Product pen: only 1 item left!',
      'Product pen is out of stock!',
    ]);
    expect(alerts(sell(new PlainState().withItems({ pen: 2 }), order('A', ['pen', 2]))).at(0)).toMatchObject({
      message: 'Low stock alert for Product pen: no items left!',
    });
  });

  it('insufficient_stock comes once for an item until its stock rises', () => {
    const state = new PlainState().withItems({ pen: 10, book: 10 });
    const first = sell(state, order('A', ['book', 1], ['pen', 7], ['pen', 7]), order('B', ['pen', 11]));
    expect(events(first)).toEqual([]);
    expect(alerts(first)).toMatchObject([
      {
        kind: 'insufficient_stock',
        item: 'pen',
        on_hand: 10,
        order_id: 'A',
        revision: 0,
        message: 'Order A was refused: it wants 14 of Product pen, with only 10 items left',
      },
    ]);
    expect(kinds(sell(state, order('C', ['pen', 3]), order('D', ['pen', 11])))).toEqual([]);
    edit(state, 'pen', { quantity: 8 });
    const again = sell(state, order('E', ['pen', 11]), order('F', ['pen', 11]));
    expect(again.map(({ id }) => id)).toEqual(['shop/alerts/pen/2/insufficient_stock']);
  });

  it('an order that is refused for another reason alerts nobody', () => {
    const state = new PlainState().withItems({ pen: 1 });
    expect(
      sell(state, order('A', ['pen', 0]), order('B', ['none', 1]), {
        ...order('C', ['pen', 9]),
        user: 'zoe',
      }),
    ).toEqual([]);
  });

  it('a movement below zero alerts once that it is oversold', () => {
    const state = new PlainState().withItems({ pen: 2 });
    const stock = new StockEvents(RULES, state);
    const sale = { item: 'pen', cause: 'sale', orderId: null, eventId: 'e' } as const;
    for (const delta of [-3, -1]) stock.moved({ ...sale, delta });
    expect(stock.moved({ ...sale, cause: 'restock', delta: 4 })).toBe(3);
    stock.moved({ ...sale, delta: -2 });
    expect(alerts(stock.announced().outgoing).map(({ kind, message }) => [kind, message])).toEqual([
      ['low_stock', 'Low stock alert for Product pen: no items left!'],
      ['oversold', 'Product pen is oversold: 1 item sold that was not on hand!'],
      ['low_stock', 'Low stock alert for Product pen: no items left!'],
      ['out_of_stock', 'Product pen is out of stock!'],
    ]);
    expect(events(stock.announced().outgoing).map(({ cause, on_hand }) => [cause, on_hand])).toEqual([
      ['sale', -1],
      ['sale', -2],
      ['restock', 2],
      ['sale', 0],
    ]);
  });
});

describe('events of edits', () => {
  it('an edit of stock is an event; one of anything else is none', () => {
    const state = new PlainState().withItems({ pen: 5 });
    expect(events(edit(state, 'pen', { quantity: 3 }))).toMatchObject([
      { item: 'pen', delta: -2, on_hand: 3, cause: 'edit', order_id: null, revision: 1 },
    ]);
    expect(edit(state, 'pen', { name: 'Pen', price: '1.00' })).toEqual([]);
    expect(kinds(edit(state, 'pen', { quantity: 0 }))).toEqual(['low_stock pen', 'out_of_stock pen']);
  });

  it('a level that is raised above the stock alerts, each time under an id of its own', () => {
    const state = new PlainState().withItems({ pen: 5 });
    const first = edit(state, 'pen', { reorderLevel: 5 });
    edit(state, 'pen', { reorderLevel: 2 });
    const second = edit(state, 'pen', { reorderLevel: 6 });
    expect([...first, ...second].map(({ id }) => id)).toEqual([
      'shop/alerts/pen/1/low_stock',
      'shop/alerts/pen/2/low_stock',
    ]);
  });

  it('an item that comes or goes crosses nothing, and its revisions go on when it comes back', () => {
    const state = new PlainState();
    expect(events(edit(state, 'pen', { quantity: 1 }))).toMatchObject([
      { revision: 1, delta: 1, on_hand: 1 },
    ]);
    expect(events(edit(state, 'pen', null))).toMatchObject([{ revision: 2, delta: -1, on_hand: 0 }]);
    const back = edit(state, 'pen', { quantity: 3 });
    expect(back.map(({ id }) => id)).toEqual(['shop/inventory-events/pen/3']);
  });
});

describe('stock that was changed while nobody sent events', () => {
  it('is one event of the difference when a shop that sends events starts, with the alerts that it leads to', () => {
    const state = new PlainState().withItems({ pen: 9, book: 9, desk: 9, lamp: 9 });
    sell(state, order('A', ['pen', 1], ['book', 1], ['desk', 1]));
    state.withItems({ pen: 0, book: 8, lamp: 1 });
    state.items.delete('desk');
    const sent = missed(state);
    // A lamp was never announced.
    expect(events(sent)).toMatchObject([
      { item: 'pen', revision: 2, delta: -8, on_hand: 0, cause: 'edit', order_id: null },
      { item: 'desk', revision: 2, delta: -8, on_hand: 0, cause: 'edit', order_id: null },
    ]);
    expect(kinds(sent)).toEqual(['low_stock pen', 'out_of_stock pen']);
    expect(missed(state)).toEqual([]);
  });

  it('is announced too when a processor that sends none took it, which only counts on', () => {
    const state = new PlainState().withItems({ pen: 9 });
    sell(state, order('A', ['pen', 1]));
    const silent = new StockEvents(RULES, state);
    silent.moved({ item: 'pen', delta: -5, cause: 'reservation', orderId: 'C', eventId: null });
    state.withItems({ pen: 3 });
    state.apply({ small: silent.counted() });
    expect(events(missed(state))).toMatchObject([{ item: 'pen', revision: 3, delta: -5, on_hand: 3 }]);
  });

  it('is announced before what changes it next', () => {
    const state = new PlainState().withItems({ pen: 9 });
    sell(state, order('A', ['pen', 1]));
    state.withItems({ pen: 5 });
    const sent = [...sell(state, order('B', ['pen', 1])), ...edit(state, 'pen', { quantity: 7 })];
    expect(events(sent)).toMatchObject([
      { revision: 2, delta: -3, on_hand: 5, cause: 'edit' },
      { revision: 3, delta: -1, on_hand: 4, cause: 'sale' },
      { revision: 4, delta: 3, on_hand: 7, cause: 'edit' },
    ]);
  });
});

it('events add up: no revision twice, and each says what is on hand after its change', () => {
  const step = fc.oneof(
    fc.record({
      sell: fc.array(fc.tuple(fc.constantFrom('pen', 'book'), fc.integer({ min: 1, max: 4 })), {
        minLength: 1,
        maxLength: 3,
      }),
    }),
    fc.record({ edit: fc.constantFrom('pen', 'book'), quantity: fc.integer({ min: 0, max: 9 }) }),
    fc.record({ silently: fc.constantFrom('pen', 'book'), quantity: fc.integer({ min: 0, max: 9 }) }),
    fc.record({ start: fc.constant(true) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const state = new PlainState().withItems({ pen: 9, book: 9 });
      const onHand = new Map([
        ['pen', 9],
        ['book', 9],
      ]);
      const revisions = new Map<string, number>();
      const ids = new Set<string>();
      steps.forEach((given, at) => {
        if ('silently' in given) state.withItems({ [given.silently]: given.quantity });
        const sent =
          'sell' in given
            ? sell(state, order(`O-${at}`, ...given.sell))
            : 'edit' in given
              ? edit(state, given.edit, { quantity: given.quantity })
              : 'start' in given
                ? missed(state)
                : [];
        for (const { item, delta, on_hand, revision } of events(sent)) {
          // The first event of an item may follow changes that were not announced.
          if (revision > 1) expect(on_hand).toBe((onHand.get(item) ?? 0) + delta);
          expect(revision).toBe((revisions.get(item) ?? 0) + 1);
          onHand.set(item, on_hand);
          revisions.set(item, revision);
        }
        for (const { id } of sent) {
          expect(ids).not.toContain(id);
          ids.add(id);
        }
        if ('start' in given) {
          for (const item of revisions.keys()) expect(state.quantity(item)).toBe(onHand.get(item));
        }
      });
    }),
  );
});

describe('a shop that needs no users', () => {
  it('judges an order without a user by stock alone, and one with a user as any other', () => {
    const state = new PlainState().withItems({ pen: 5 }).withUsers({ bob: 'unpaid' });
    sell(state, order('A', ['pen', 1]), { ...order('B', ['pen', 1]), user: 'bob' });
    expect(state.decided('A')?.outcome).toEqual({ kind: 'accepted', stock: [5] });
    expect(state.decided('B')?.outcome).toMatchObject({ reason: 'user_not_paid' });
    expect(state.quantity('pen')).toBe(4);
  });

  it('any other shop rejects an order without a user', () => {
    const state = new PlainState().withItems({ pen: 5 });
    const { changes } = orders({ events: null, users: 'required' }).decide(
      [
        {
          source: 'orders',
          traceparent: null,
          message: order('A', ['pen', 1]),
          record: { topic: 'orders', partition: 0, offset: 0 },
        },
      ],
      state,
    );
    expect(changes.decisions?.[0]?.outcome).toMatchObject({ reason: 'unknown_user', userStatus: null });
    expect(changes.outgoing).toBeUndefined();
  });
});
