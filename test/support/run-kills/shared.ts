import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import { ORDER_CANCEL } from '../../../src/domain/messages/checkout/order-cancel.ts';
import { ORDER_CREATED } from '../../../src/domain/messages/checkout/order-created.ts';
import { PAYMENT_PROCESSED } from '../../../src/domain/messages/checkout/payment-processed.ts';
import { SHIPMENT_CREATED } from '../../../src/domain/messages/checkout/shipment-created.ts';
import type { CheckoutFact } from '../../../src/domain/checkout/facts.ts';
import { openShop, type Running, type Shop } from '../cli.ts';
import { createTopic, sendRaw } from '../topics.ts';
import { waitFor } from '../wait.ts';
import { CUSTOMERS, orderCreated, ORDERS_A_LIFE, PUT_IN, SCARCE, STOCK } from './checkout.ts';
import { expectCheckoutEven, openGatewayOfTest } from './checkout-oracle.ts';
import { startCluster, type KillableCluster } from './cluster.ts';
import { startDatabase, type KillableDatabase } from './database.ts';
import { SharedEdits } from './shared-edits.ts';

/** Each runs in its own process; a service that is named twice shares its partitions. */
const SERVICES = [
  'validation',
  'payment',
  'payment',
  'inventory',
  'inventory',
  'warehouse notification delivery',
];
/** The longest time between two kills: by then a new process may or may not have started, joined and worked. */
const LONGEST_LIFE_MS = 2_500;
/** A process that starts while the broker or database is down may exit, as it does where there is none. */
const TROUBLE_MS = 20_000;

export type Victim = 'instance' | 'sleeper' | 'session' | 'backend' | 'database' | 'broker';
export type Shares = readonly (readonly [victim: Victim, share: number])[];
const VICTIMS: Shares = [
  ['instance', 0.5],
  ['sleeper', 0.1],
  ['session', 0.1],
  ['backend', 0.1],
  ['database', 0.1],
  ['broker', 0.1],
];

/** The services of the checkout as processes on one database: a process that exits is restarted. */
class Fleet {
  readonly #shop: Shop;
  readonly #running: Running[] = [];
  #troubleAt = 0;
  #isOver = false;
  /** Processes that exited unexpectedly. */
  readonly wrong: string[] = [];

  constructor(shop: Shop) {
    this.#shop = shop;
    onTestFinished(() => void (this.#isOver = true));
    for (const at of SERVICES.keys()) this.#start(at);
  }

  #start(at: number): void {
    const run = this.#shop.start(`run ${SERVICES[at]}`);
    this.#running[at] = run;
    void run.exited.then(async ({ code, signal, stderr }) => {
      if (this.#isOver) return;
      const isInTrouble = code === 5 && Date.now() - this.#troubleAt < TROUBLE_MS;
      if (signal !== 'SIGKILL' && !isInTrouble)
        this.wrong.push(`${SERVICES[at]} left with ${code}: ${stderr}`);
      await sleep(isInTrouble ? 1_000 : 0);
      if (!this.#hasEnded()) this.#start(at);
    });
  }

  #hasEnded(): boolean {
    return this.#isOver;
  }

  /** The broker or database is about to be down. */
  trouble(): void {
    this.#troubleAt = Date.now();
  }

  oneOf(random: () => number): Running {
    const one = this.#running[Math.floor(random() * this.#running.length)];
    if (one === undefined) throw new Error('nothing runs');
    return one;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    for (const one of this.#running) one.signal('SIGTERM');
    await Promise.all(this.#running.map(({ exited }) => exited));
  }
}

/**
 * The checkout on PostgreSQL, with several processes for some services, under kill -9 of any of them, of sessions of
 * the database, of the database and of the broker, and with processes that sleep for longer than their leases: every
 * order has one outcome, each step is announced once, and money and stock balance.
 */
export async function killShared(
  kills: number,
  random: () => number,
  given: { readonly database?: KillableDatabase; readonly victims?: Shares } = {},
): Promise<ReadonlyMap<Victim, number>> {
  const { database = await startDatabase(), victims = VICTIMS } = given;
  const [cluster, gateway] = [await startCluster(), await openGatewayOfTest()];
  const shop = openShop({
    ORDERCTL_BROKERS: cluster.brokers,
    ORDERCTL_REGISTRY: cluster.registry,
    ORDERCTL_EVENTS: 'true',
    ORDERCTL_STORAGE: '',
    ORDERCTL_STORE: database.url,
    ORDERCTL_DISPATCH_DELAY: '2s',
    ORDERCTL_GATEWAY: gateway.url,
    ORDERCTL_GATEWAY_RETRIES: Array(60).fill('1s').join(),
  });
  for (const user of new Set(CUSTOMERS)) await shop.ok(`user add ${user} --status paid`);
  for (const [item, quantity] of Object.entries(STOCK))
    await shop.ok(`inventory add --item ${item} --quantity ${quantity}`);
  for (const { name } of [ORDER_CREATED, ORDER_CANCEL, PAYMENT_PROCESSED, SHIPMENT_CREATED])
    await createTopic(name, 3, cluster.brokers);
  const sent: string[] = [];
  const feed = async (): Promise<void> => {
    const orders = Array.from({ length: ORDERS_A_LIFE }, () => {
      const id = `c-${sent.length}`;
      sent.push(id);
      const customer = CUSTOMERS[Math.floor(random() * CUSTOMERS.length)] ?? '';
      return { key: id, value: JSON.stringify(orderCreated(id, customer, random)) };
    });
    await sendRaw(ORDER_CREATED.name, orders, cluster.brokers);
    const id = sent[Math.floor(random() * sent.length)] ?? '';
    const value = JSON.stringify({ order_id: id, reason: null, requested_at: 1_760_000_000_000 });
    await sendRaw(ORDER_CANCEL.name, [{ key: id, value }], cluster.brokers);
  };
  const fleet = new Fleet(shop);
  const killed = new Map<Victim, number>();
  const edits = new SharedEdits(shop, database);
  for (let kill = 0; kill < kills; kill += 1) {
    await feed();
    await sleep(random() * LONGEST_LIFE_MS);
    if (random() < 0.5) await edits.make(SCARCE, PUT_IN, random);
    const victim = victimOf(victims, random());
    killed.set(victim, (killed.get(victim) ?? 0) + 1);
    await strike(victim, { fleet, cluster, database, random });
    expect(fleet.wrong).toEqual([]);
  }
  await waitFor(
    'all to be sent and performed',
    () => left(database),
    (what) => what.length === 0,
    { timeoutMs: 300_000, everyMs: 1_000 },
  );
  await fleet.stop();
  await shop.ok('run validation payment inventory warehouse notification delivery --until-end', {
    timeoutMs: 300_000,
  });
  await expectCheckoutEven({
    shop,
    gateway,
    brokers: cluster.brokers,
    sent,
    books: await booksOf(database),
    stock: { ...STOCK, [SCARCE]: STOCK.pen + (await edits.putIn(SCARCE)) },
  });
  expect(await left(database)).toEqual([]);
  return killed;
}

function victimOf(victims: Shares, chance: number): Victim {
  let sum = 0;
  for (const [victim, share] of victims) {
    sum += share;
    if (chance < sum) return victim;
  }
  return 'instance';
}

async function strike(
  victim: Victim,
  world: {
    readonly fleet: Fleet;
    readonly cluster: KillableCluster;
    readonly database: KillableDatabase;
    readonly random: () => number;
  },
): Promise<void> {
  const { fleet, cluster, database, random } = world;
  if (victim !== 'instance' && victim !== 'sleeper') fleet.trouble();
  switch (victim) {
    case 'instance':
      fleet.oneOf(random).signal('SIGKILL');
      return;
    case 'sleeper': {
      const one = fleet.oneOf(random);
      one.signal('SIGSTOP');
      // For longer than its leases, and sometimes for longer than its session in the group.
      void sleep(random() * 14_000).then(() => one.signal('SIGCONT'));
      return;
    }
    case 'session':
      return database.endSession(random);
    case 'backend':
      return database.killSession(random);
    case 'database':
      await database.kill();
      return database.restart();
    case 'broker':
      return cluster.killAndRestart();
  }
}

/** Pending effects and waiting messages: everything else is read within the seconds that these take. */
function left(database: KillableDatabase): Promise<readonly object[]> {
  return database.ask(
    `SELECT 'message' AS what, destination AS kind, shard::text AS state, sum(message_count)::int AS n FROM orderctl.outbox GROUP BY 2, 3
     UNION ALL SELECT 'effect', kind, state, count(*)::int FROM orderctl.effects GROUP BY 2, 3`,
  );
}

async function booksOf(
  database: KillableDatabase,
): Promise<NonNullable<Parameters<typeof expectCheckoutEven>[0]['books']>> {
  const facts = await database.ask<{ value: CheckoutFact }>(
    `SELECT value FROM orderctl.events_log WHERE log = 'checkout' ORDER BY seq, ordinal`,
  );
  const items = await database.ask<{ item: string; quantity: number }>(
    'SELECT item, quantity::int AS quantity FROM orderctl.inventory',
  );
  return {
    facts: facts.map(({ value }) => value),
    onHand: Object.fromEntries(items.map(({ item, quantity }) => [item, quantity])),
  };
}
