import { DAY_MS } from '../../domain/iso-time.ts';
import type { ExperimentKind } from '../../domain/experiments/kinds.ts';
import { Failure } from '../../domain/failure.ts';
import { clientHeaders } from '../../domain/messages/headers.ts';
import { ORDER } from '../../domain/messages/shop/order.ts';
import type { Order } from '../../domain/orders/order.ts';
import type { SendRecord } from '../../ports/broker.ts';
import type { Stage, StagePart } from './stage.ts';
import { garbage } from './garbage.ts';
import { duplicatesSince, type Notes } from './notes.ts';
import { until, type Wave } from './wave.ts';

interface Act {
  readonly stage: Stage;
  readonly wave: Wave;
  readonly random: () => number;
  readonly notes: Notes;
}

const ORDERS = 30;
/** Orders are placed over this time, and the trouble happens in the middle. */
const OVER_MS = 1_500;

/** What each experiment does; resolves when everything is sent. */
export const ACTS: Readonly<Record<ExperimentKind, (act: Act) => Promise<void>>> = {
  'kill-shop': (act) => amongOrders(act, () => strike(act, 'shop', 'kill')),
  'kill-broker': (act) => amongOrders(act, () => strike(act, 'broker', 'kill')),
  'kill-api': (act) => amongOrders(act, () => strike(act, 'api', 'kill')),
  'restart-broker': (act) => amongOrders(act, () => strike(act, 'broker', 'stop')),
  duplicates: (act) => sendTwice(act, 20),
  garbage: (act) => sendGarbage(act, 12),
  late: sendLate,
  'gateway-down': (act) => gatewayDown(act, 6),
  'gateway-loses': (act) => gatewayLoses(act, 6),
  'last-one': sellTheLastOne,
  chaos,
};

async function amongOrders(
  { wave, random, stage }: Act,
  happen: () => Promise<void>,
  { count = ORDERS, overMs = OVER_MS } = {},
): Promise<void> {
  const placing = wave.place(await wave.orders(count), overMs);
  const happening = stage.sleep(OVER_MS * (0.2 + 0.5 * random())).then(happen);
  // Both must end before the next experiment, even when one fails.
  const [placed, happened] = await Promise.allSettled([placing, happening]);
  for (const result of [placed, happened]) if (result.status === 'rejected') throw result.reason;
}

const NAMES: Readonly<Record<StagePart, string>> = { shop: 'the shop', broker: 'the broker', api: 'the API' };

async function strike({ stage, wave, notes }: Act, part: StagePart, how: 'kill' | 'stop'): Promise<void> {
  const inFlight = await wave.inFlight();
  const { pids, backMs } = await stage.strike(part, how, wave.until);
  const which = pids.join(' ');
  notes.did.push(
    how === 'kill' ? `kill -9 ${which} (${NAMES[part]})` : `restart of ${NAMES[part]}, ${which}`,
  );
  notes.backMs = Math.max(notes.backMs ?? 0, backMs);
  notes.inFlight = Math.max(notes.inFlight ?? 0, inFlight);
}

async function recordsOf(stage: Stage, orders: readonly Order[]): Promise<SendRecord[]> {
  const values = await stage.encode(orders);
  const at = stage.now();
  return orders.map(({ orderId }, index) => {
    return { key: orderId, value: values[index] ?? null, headers: clientHeaders(ORDER, orderId, { at }) };
  });
}

async function sendTwice({ stage, wave, notes }: Act, count: number): Promise<void> {
  const before = await stage.duplicates();
  const orders = await wave.orders(count);
  const records = await recordsOf(stage, orders);
  await stage.send([...records, ...records]);
  notes.did.push(`${count} orders sent twice`);
  await wave.end();
  let seen: number | null = null;
  await until(stage, wave.until, async () => {
    seen = await duplicatesSince(stage, before);
    return seen === null || seen >= count;
  });
  notes.checks.push({ what: 'duplicates dropped', expected: count, seen });
}

async function sendGarbage({ stage, wave, random, notes }: Act, count: number): Promise<void> {
  const deadLettersOf = await stage.watchDeadLetters();
  const places = await stage.send(garbage(count, random));
  notes.did.push(`${count} records that are not orders`);
  // Orders after the garbage must be processed all the same.
  await wave.place(await wave.orders(10), 300);
  let seen = 0;
  await until(stage, wave.until, async () => {
    seen = await deadLettersOf(places);
    return seen >= count;
  });
  notes.checks.push({ what: 'dead letters', expected: count, seen });
}

async function sendLate({ stage, wave, random, notes }: Act): Promise<void> {
  const orders = (await wave.orders(20)).map((order) => {
    return { ...order, createdAt: Math.round(stage.now() - DAY_MS * (1 + random())) };
  });
  orders.sort((a, b) => b.createdAt - a.createdAt);
  await stage.send(await recordsOf(stage, orders));
  notes.did.push(`${orders.length} orders that are one to two days old, the latest first`);
}

function gatewayOf({ gateway }: Stage): NonNullable<Stage['gateway']> {
  if (gateway !== null) return gateway;
  throw new Failure(
    'check_failed',
    'this shop uses an external payment gateway, which must not be made to fail',
  );
}

/** Money must never move twice, whatever happens to a request. */
async function chargeWhile({ stage, wave, notes }: Act, count: number, trouble: () => Promise<void>) {
  const gateway = gatewayOf(stage);
  const before = await gateway.chargedTwice();
  await trouble();
  await wave.end();
  const seen = (await gateway.chargedTwice()) - before;
  notes.checks.push({ what: `charged twice, of ${count}`, expected: 0, seen });
}

async function gatewayDown(act: Act, count: number): Promise<void> {
  const { stage, wave, random, notes } = act;
  await chargeWhile(act, count, async () => {
    const gateway = gatewayOf(stage);
    await gateway.mood('error', null);
    const downMs = Math.round(1_000 + 1_000 * random());
    try {
      await wave.place(await wave.orders(count), 200, 1);
      await stage.sleep(downMs);
    } finally {
      await gateway.mood('normal', null);
    }
    notes.did.push(`gateway down for ${(downMs / 1_000).toFixed(1)} s`);
  });
}

async function gatewayLoses(act: Act, count: number): Promise<void> {
  const { stage, wave, notes } = act;
  await chargeWhile(act, count, async () => {
    const gateway = gatewayOf(stage);
    await gateway.mood('lose', count);
    try {
      await wave.place(await wave.orders(count), 200, 1);
      await wave.end();
    } finally {
      await gateway.mood('normal', null);
    }
    notes.did.push(`the answers to up to ${count} charges lost`);
  });
}

const BUYERS = 10;

async function sellTheLastOne({ stage, wave, notes }: Act): Promise<void> {
  const item = `last-one-${stage.newId()}`;
  const why = 'experiment last-one';
  await stage.edit({ kind: 'item.add', item, quantity: 1, price: '1.00' }, why);
  try {
    const users = await stage.paidUsers();
    const orders = Array.from({ length: BUYERS }, (_, at) =>
      wave.name({
        orderId: '',
        user: users[at % users.length] ?? '',
        createdAt: stage.now(),
        items: [{ item, quantity: 1, unitPrice: '1.00' }],
      }),
    );
    await wave.place(orders, 0, 0.5);
    notes.did.push(`${BUYERS} buyers for the last one`);
    await wave.end();
    notes.checks.push({ what: 'of them got it', expected: 1, seen: wave.endedAs('COMPLETED') });
  } finally {
    await stage.edit({ kind: 'item.remove', item }, why);
  }
}

async function chaos(act: Act): Promise<void> {
  const { stage, random } = act;
  const all: (() => Promise<void>)[] = [
    () => strike(act, 'shop', 'kill'),
    () => strike(act, 'broker', 'kill'),
    () => strike(act, 'api', 'kill'),
    () => sendGarbage(act, 4),
    ...(stage.gateway === null ? [] : [() => gatewayDown(act, 3)]),
  ];
  const happen = async (): Promise<void> => {
    for (const next of shuffled(all, random)) await next();
  };
  await amongOrders(act, happen, { count: 3 * ORDERS, overMs: 6 * OVER_MS });
}

/** Fisher–Yates shuffle. */
function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const left = [...values];
  return values.flatMap(() => left.splice(Math.floor(random() * left.length), 1));
}
