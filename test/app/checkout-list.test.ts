import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ListFilter } from '../../src/app/orders/filter.ts';
import { listOrders, type ListOrdersOptions } from '../../src/app/orders/list.ts';
import { isCheckout, orderIdOf, type ListedOrder } from '../../src/app/orders/listed-order.ts';
import { CHECKOUT, type CheckoutFact, type CheckoutStep } from '../../src/domain/checkout/facts.ts';
import { newFact } from '../../src/domain/facts.ts';
import { isoTime } from '../../src/domain/iso-time.ts';
import { decideRecords, recordOf } from '../support/decided.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';

const ALL: ListFilter = { status: null, reason: null, user: null, item: null, sinceMs: null, untilMs: null };

async function shop(): Promise<ModelFolder> {
  const folder = new ModelFolder(new FakeClock());
  await folder.edit({ kind: 'user.add', user: 'alice', status: 'paid' });
  await folder.edit({ kind: 'item.add', item: 'pen', quantity: 50 });
  return folder;
}

let offset = 0;

/** Each in a commit of its own, a second after the one before: `V-1 validated`, or a direct order `D-1`. */
async function happens(folder: ModelFolder, ...what: readonly string[]): Promise<void> {
  for (const one of what) {
    const [id = '', step] = one.split(' ');
    await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
    offset += 1;
    if (step === undefined) await decideRecords(store, [recordOf('orders', offset, id, 'alice', { pen: 1 })]);
    else {
      await store.transact({}, ({ at }) => ({
        changes: { facts: [newFact(CHECKOUT, factOf(id, step as CheckoutStep, isoTime(at)))] },
        result: null,
      }));
    }
    await folder.clock.sleep(1_000);
  }
}

function factOf(order_id: string, step: CheckoutStep, at: string): CheckoutFact {
  return {
    order_id,
    step,
    at,
    topic: 'orders.created',
    partition: 0,
    offset,
    customer_id: order_id.startsWith('B') ? 'bob' : 'alice',
    created_at: at,
    items: [{ product_id: 'book', quantity: 1, unit_price: '2.50' }],
    total_amount: '2.50',
    shipping_address: 'Main Street 1',
    reason: 'insufficient_stock',
    detail: 'no book',
    amount: '2.50',
    reference: 'r',
    attempts: 1,
    carrier: 'own',
    tracking_number: 'N',
    ...(step === 'declined' ? { reason: 'card_declined' } : {}),
    ...(step === 'rejected' && order_id.startsWith('C') ? { reason: 'cancelled' } : {}),
  };
}

async function list(folder: ModelFolder, options: Partial<ListOrdersOptions>): Promise<ListedOrder[]> {
  const found: ListedOrder[] = [];
  const onOrders = async (orders: readonly ListedOrder[]): Promise<void> => void found.push(...orders);
  await listOrders(folder, { filter: ALL, last: Infinity, onOrders, ...options });
  return found;
}

const brief = (order: ListedOrder): string =>
  `${orderIdOf(order)} ${isCheckout(order) ? order.status : order.outcome.kind}`;
const shown = async (folder: ModelFolder, filter: Partial<ListFilter> = {}, options = {}): Promise<string> =>
  (await list(folder, { filter: { ...ALL, ...filter }, ...options })).map(brief).join(', ');

const COURSES = [
  ['validated', 'paid', 'reserved', 'dispatched', 'cancel_refused'],
  ['validated', 'paid', 'reserved', 'cancelled', 'refunded'],
  ['validated', 'paid', 'gone', 'refunded'],
  ['validated', 'declined'],
  ['rejected'],
  ['cancelled', 'rejected'],
] as const;

/** Of an order that was cancelled before it came the name begins with C. */
function id([first]: readonly string[]): string {
  return first === 'cancelled' ? 'C' : 'V';
}

describe('orders of both flows are one list', () => {
  it('by when they were decided or taken up, each with what became of it since', async () => {
    const folder = await shop();
    const start = folder.clock.now();
    await happens(folder, 'V-1 validated', 'D-1', 'B-2 rejected', 'V-3 validated', 'V-1 paid', 'D-2');
    await happens(folder, 'V-1 reserved', 'V-4 validated', 'V-3 declined', 'C-5 cancelled', 'C-5 rejected');
    expect(await shown(folder)).toBe(
      'V-1 COMPLETED, D-1 accepted, B-2 REJECTED, V-3 FAILED, D-2 accepted, V-4 VALIDATED, C-5 CANCELLED',
    );
    expect(await shown(folder, {}, { last: 3 })).toBe('D-2 accepted, V-4 VALIDATED, C-5 CANCELLED');
    expect(await shown(folder, {}, { last: 2, isReversed: true })).toBe('C-5 CANCELLED, V-4 VALIDATED');
    expect(await shown(folder, { status: 'COMPLETED' })).toBe('V-1 COMPLETED, D-1 accepted, D-2 accepted');
    expect(await shown(folder, { status: 'accepted' })).toBe('D-1 accepted, D-2 accepted');
    expect(await shown(folder, { status: 'REJECTED' })).toBe('B-2 REJECTED');
    expect(await shown(folder, { status: 'FAILED' })).toBe('V-3 FAILED');
    expect(await shown(folder, { status: 'CANCELLED' }, { last: 5 })).toBe('C-5 CANCELLED');
    expect(await shown(folder, { reason: 'insufficient_stock' })).toBe('B-2 REJECTED');
    expect(await shown(folder, { user: 'bob' })).toBe('B-2 REJECTED');
    expect(await shown(folder, { item: 'book', status: 'COMPLETED' })).toBe('V-1 COMPLETED');
    expect(await shown(folder, { sinceMs: start + 1_000, untilMs: start + 3_000 })).toBe(
      'D-1 accepted, B-2 REJECTED',
    );
  });

  it('as of a moment they had the status of that moment', async () => {
    const folder = await shop();
    const start = folder.clock.now();
    await happens(
      folder,
      'V-1 validated',
      'D-1',
      'V-1 paid',
      'V-2 validated',
      'V-1 reserved',
      'V-1 dispatched',
    );
    const at = (seconds: number) => ({ at: { kind: 'time', ms: start + seconds * 1_000 } });
    expect(await shown(folder, {}, at(1))).toBe('V-1 VALIDATED, D-1 accepted');
    expect(await shown(folder, {}, at(2))).toBe('V-1 PAID, D-1 accepted');
    expect(await shown(folder, {}, { ...at(3), last: 1 })).toBe('V-2 VALIDATED');
    expect(await shown(folder, { status: 'PAID' }, at(3))).toBe('V-1 PAID');
    expect(await shown(folder, {}, at(9))).toBe('V-1 COMPLETED, D-1 accepted, V-2 VALIDATED');
  });

  it('the same from either end, and as of now, whatever happened', async () => {
    // What an order goes through, as far as it has come.
    const course = fc.tuple(fc.constantFrom(...COURSES), fc.nat(5)).map(([steps, length]) => {
      return steps.slice(0, length);
    });
    const courses = fc.array(course, { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(courses, fc.infiniteStream(fc.nat(6)), async (goes, turns) => {
        const folder = await shop();
        const left = goes.map((steps, at) => steps.map((step) => `${id(steps)}-${at} ${step}`));
        const happened: string[] = [];
        for (const turn of turns) {
          if (left.every((steps) => steps.length === 0)) break;
          const next = left[turn] === undefined ? `D-${happened.length}` : left[turn].shift();
          if (next !== undefined) happened.push(next);
        }
        await happens(folder, ...happened);
        const forward = await list(folder, {});
        expect((await list(folder, { isReversed: true })).reverse()).toEqual(forward);
        const now = { kind: 'time', ms: folder.clock.now() } as const;
        expect(await list(folder, { at: now })).toEqual(forward);
      }),
      { numRuns: 60 },
    );
  });

  it('each new status of an order is listed as it comes, once', async () => {
    const folder = await shop();
    await happens(folder, 'V-1 validated', 'C-3 cancelled');
    const stop = new AbortController();
    const found: string[] = [];
    const listing = listOrders(folder, {
      filter: ALL,
      last: Infinity,
      follow: stop.signal,
      onOrders: async (orders) => {
        found.push(...orders.map(brief));
        if (found.length === 1) {
          await happens(folder, 'V-1 paid', 'D-1', 'V-2 validated', 'V-2 charge_owed', 'V-1 reserved');
          await happens(folder, 'C-3 rejected', 'V-2 declined');
        }
        if (orders.map(brief).includes('V-2 FAILED')) stop.abort();
      },
    });
    await listing;
    expect(found).toEqual(['V-1 VALIDATED', 'D-1 accepted', 'V-1 COMPLETED', 'C-3 CANCELLED', 'V-2 FAILED']);
  });
});
