import { beforeEach, describe, expect, it } from 'vitest';
import type { DeadLetter } from '../../src/app/dlq/dead-letters.ts';
import { discardDeadLetters, findDeadLetters } from '../../src/app/dlq/discard.ts';
import { listDeadLetters } from '../../src/app/dlq/list.ts';
import { redriveDeadLetters } from '../../src/app/dlq/redrive.ts';
import type { RedriveEvent, RedriveOptions } from '../../src/app/dlq/redrive-events.ts';
import { onlyGroupFor, scopeOfProcessor, scopeOfShop, scopeOfTopic } from '../../src/app/dlq/scope.ts';
import { readingOfAll } from '../../src/app/offsets/reading.ts';
import { formatDeadLetterId, parseDeadLetterId } from '../../src/domain/topics/dead-letter-id.ts';
import { lastHeader, type Headers } from '../../src/ports/record.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';
import { PlainCodec } from '../support/plain-codec.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';

const SHOP = { group: 'g', names: new Map([['orders.dlq', 'bad-orders']]) };
const PAYMENT = scopeOfProcessor('payment', SHOP);
const [VALIDATED, CANCELLED] = ['orders.validated.dlq', 'orders.cancelled.dlq'];
const ALL = {
  reason: null,
  sinceMs: null,
  untilMs: null,
  originalTopic: null,
  originalGroup: null,
  state: null,
};
let folder: ModelFolder;
let broker: ScriptedBroker;

beforeEach(() => {
  folder = new ModelFolder(new FakeClock());
  broker = new ScriptedBroker();
  for (const topic of ['orders.validated', 'orders.cancelled', 'bad-orders']) broker.createTopic(topic);
  for (const topic of [VALIDATED, CANCELLED]) broker.createTopic(topic);
});

/** A dead letter of a topic, sent by a group at that stage. @returns its offset */
function letter(
  dlq: string,
  group: string,
  stage: 'decode' | 'effect',
  value = '{}',
  origin = dlq.replace('.dlq', ''),
): number {
  const offset = broker.topics.get(dlq)?.[0]?.length ?? 0;
  const headers: Headers = [
    ['x-original-topic', origin],
    ['x-original-partition', '0'],
    ['x-original-offset', String(offset)],
    ['x-original-group', group],
    ['x-error-code', stage === 'effect' ? 'gateway_unavailable' : 'undecodable'],
    ['x-error-stage', stage],
    ['x-failed-at', '2026-01-02T03:04:05.000Z'],
    ['__value_schema_id', new Uint8Array([0, 0, 0, 0, 7])],
  ];
  return broker.append(dlq, 0, { key: null, value: new TextEncoder().encode(value), headers });
}

async function list(scope = PAYMENT): Promise<string[]> {
  const found: DeadLetter[] = [];
  const onDeadLetters = async (some: readonly DeadLetter[]): Promise<void> => void found.push(...some);
  const options = { scope, filter: ALL, limit: Infinity, onDeadLetters };
  await listDeadLetters({ access: folder, broker }, options);
  return found.map(({ id, state }) => `${formatDeadLetterId(id)} ${state}`);
}

async function redrive(options: Partial<RedriveOptions>): Promise<RedriveEvent[]> {
  const events: RedriveEvent[] = [];
  await redriveDeadLetters(
    {
      access: folder,
      broker,
      clock: folder.clock,
      newReplayId: () => 'r-1',
      codecOf: async () => new PlainCodec(),
      names: SHOP.names,
    },
    {
      scope: PAYMENT,
      readings: readingOfAll(SHOP),
      select: { filter: ALL },
      value: null,
      max: null,
      toTopic: null,
      maxRedrives: 3,
      execute: true,
      via: 'command',
      signal: new AbortController().signal,
      on: async (event) => void events.push(event),
      onNotice: () => undefined,
      ...options,
    },
  );
  return events;
}

const sent = (topic: string) => broker.topics.get(topic)?.[0] ?? [];
const groupsOf = (topic: string) => sent(topic).map(({ headers }) => lastHeader(headers, 'x-original-group'));

describe('the dead letters of a processor', () => {
  it('are those of all topics that it reads', () => {
    expect(PAYMENT).toMatchObject({
      topics: [VALIDATED, 'inventory.rejected.dlq', CANCELLED],
      isNamed: true,
      of: { processor: 'payment', group: 'g.payment' },
    });
    expect(scopeOfProcessor('g', SHOP)).toMatchObject({ topics: ['bad-orders'], isNamed: false });
    expect(scopeOfProcessor('all', SHOP).topics).toEqual(
      expect.arrayContaining(['bad-orders', 'orders.created.dlq', VALIDATED, 'alerts.dlq']),
    );
    expect(() => scopeOfProcessor('pay', SHOP)).toThrow('there is no processor');
  });

  it('are listed by ids that name their topic, without what came to nothing in another processor', async () => {
    letter(VALIDATED, 'g.payment', 'effect');
    letter(CANCELLED, 'g.payment', 'decode');
    letter(CANCELLED, 'g.notification', 'effect');
    expect(await list()).toEqual([`${VALIDATED}:0:0 open`, `${CANCELLED}:0:0 open`]);
    expect(await list(scopeOfProcessor('notification', SHOP))).toEqual([
      `${CANCELLED}:0:0 open`,
      `${CANCELLED}:0:1 open`,
    ]);
    expect(await list(scopeOfTopic(VALIDATED))).toEqual(['0:0 open']);
  });

  it('of a whole shop are those of orders, in short, and of its other processors, not of other shops', async () => {
    broker.createTopic('bad-orders');
    letter('bad-orders', 'elsewhere', 'decode');
    letter(VALIDATED, 'g.payment', 'effect');
    letter(VALIDATED, 'another.payment', 'effect');
    letter(CANCELLED, 'g.notification', 'decode');
    expect(await list(scopeOfShop('bad-orders', SHOP))).toEqual([
      '0:0 open',
      `${VALIDATED}:0:0 open`,
      `${CANCELLED}:0:0 open`,
    ]);
  });

  it('say which topics are missing when there is none', async () => {
    broker.topics.clear();
    await expect(list()).rejects.toMatchObject({
      code: 'topic_missing',
      fix: { kind: 'apply_topics_of', processor: 'payment' },
    });
  });

  it('are discarded in their topics, and need an id that says which', async () => {
    letter(VALIDATED, 'g.payment', 'effect');
    letter(CANCELLED, 'g.payment', 'decode');
    const find = (...ids: string[]) =>
      findDeadLetters({ access: folder, broker }, { scope: PAYMENT, ids: ids.map(parseDeadLetterId) });
    await expect(find('0:0')).rejects.toMatchObject({ code: 'invalid_value' });
    await expect(find(`${CANCELLED}:0:7`)).rejects.toMatchObject({ code: 'not_found' });
    const deadLetters = await find(`${CANCELLED}:0:0`);
    await discardDeadLetters(folder, { deadLetters, why: 'a test', onNotice: () => undefined });
    expect(folder.log).toMatchObject([{ kind: 'dead_letter', topic: CANCELLED, letters: [{ id: '0:0' }] }]);
    expect(await list()).toEqual([`${VALIDATED}:0:0 open`, `${CANCELLED}:0:0 discarded`]);
  });
});

describe('a redrive', () => {
  it('sends each to its own topic, and marks it in its own', async () => {
    letter(VALIDATED, 'g.payment', 'effect');
    letter(CANCELLED, 'g.payment', 'decode');
    await redrive({});
    expect([sent('orders.validated'), sent('orders.cancelled')].map(({ length }) => length)).toEqual([1, 1]);
    expect(await list()).toEqual([`${VALIDATED}:0:0 redriven`, `${CANCELLED}:0:0 redriven`]);
    expect(folder.log).toMatchObject([{ topic: VALIDATED }, { topic: CANCELLED }]);
  });

  it('goes to the group in which it came to nothing, and to all where none could read it', async () => {
    letter(CANCELLED, 'g.payment', 'effect');
    letter(CANCELLED, 'g.payment', 'decode');
    letter(VALIDATED, 'old.payment', 'effect');
    await redrive({});
    expect(groupsOf('orders.cancelled')).toEqual(['g.payment', undefined]);
    // The group was renamed since.
    expect(groupsOf('orders.validated')).toEqual(['g.payment']);
    const origin = { topic: 'orders', group: 'g', errorStage: 'decode', format: 'orderctl' } as const;
    const only = (of: object) => onlyGroupFor({ origin: { ...origin, ...of } as never }, readingOfAll(SHOP));
    expect(only({})).toBe('g');
    expect(only({ format: 'spring' })).toBeNull();
    expect(only({ errorStage: 'effect', group: 'other.shop' })).toBe('other.shop');
  });

  it('leaves alone what its group would not read, because the shop names another topic since', async () => {
    letter(VALIDATED, 'g.payment', 'effect');
    letter(VALIDATED, 'another.payment', 'effect');
    const readings = readingOfAll({ group: 'g', names: new Map([['orders.validated', 'renamed']]) });
    const scope = scopeOfTopic(VALIDATED);
    const [skipped] = await redrive({ scope, readings });
    expect(skipped).toMatchObject({ kind: 'skipped', id: '0:0', reason: 'topic_unread' });
    // Of another shop, whose topics are not known here.
    expect(groupsOf('orders.validated')).toEqual(['another.payment']);
    expect(await list(scope)).toEqual(['0:0 open', '0:1 redriven']);
    broker.createTopic('renamed');
    await redrive({ scope, readings, toTopic: 'renamed' });
    expect(groupsOf('renamed')).toEqual(['g.payment']);
  });

  it('sends a corrected value, and keeps the original', async () => {
    const ids = [parseDeadLetterId(`${VALIDATED}:0:${letter(VALIDATED, 'g.payment', 'decode', 'no JSON')}`)];
    const value = new TextEncoder().encode('{"order_id":"A"}');
    const [dry] = await redrive({ select: { ids }, value, execute: false });
    expect(dry).toMatchObject({ kind: 'would_send', steps: [{ now: { kind: 'message' } }] });
    await redrive({ select: { ids }, value });
    const [record] = sent('orders.validated');
    expect(new TextDecoder().decode(record?.value ?? undefined)).toBe('{"order_id":"A"}');
    // It names the schema of the value before.
    expect(record?.headers.map(([name]) => name)).not.toContain('__value_schema_id');
    expect(new TextDecoder().decode(sent(VALIDATED)[0]?.value ?? undefined)).toBe('no JSON');
    expect(folder.log).toMatchObject([
      { action: 'redriven', why: 'replay r-1 to orders.validated, with a corrected value' },
    ]);
  });

  it.each([true, false])(
    'refuses to correct what was read, and is tried as it is: execute %s',
    async (execute) => {
      const ids = [parseDeadLetterId(`${VALIDATED}:0:${letter(VALIDATED, 'g.payment', 'effect')}`)];
      const value = new TextEncoder().encode('{"order_id":"A"}');
      await expect(redrive({ select: { ids }, value, execute })).rejects.toMatchObject({
        code: 'invalid_input',
        message: expect.stringContaining('a corrected value would change nothing') as string,
      });
      expect([sent('orders.validated'), folder.log]).toEqual([[], []]);
    },
  );

  it('sends nothing when the corrected value cannot be read either', async () => {
    const ids = [parseDeadLetterId(`${VALIDATED}:0:${letter(VALIDATED, 'g.payment', 'decode')}`)];
    const value = new TextEncoder().encode('no JSON');
    await expect(redrive({ select: { ids }, value })).rejects.toMatchObject({ code: 'invalid_input' });
    expect([sent('orders.validated'), folder.log]).toEqual([[], []]);
  });

  it('says of what stock can read whether it would take it', async () => {
    broker.createTopic('store_sales');
    broker.createTopic('dlq');
    await folder.edit({ kind: 'item.add', item: 'pen', quantity: 5 });
    const ids = [
      { event_id: 'E-1', product_id: 'pen', quantity: 0 },
      { event_id: 'E-2', product_id: 'cup', quantity: 1 },
      { event_id: 'E-3', product_id: 'pen', quantity: 9 },
    ].map((event) => letter('dlq', 'g.stock', 'decode', JSON.stringify(event), 'store_sales'));
    const select = { ids: ids.map((offset) => parseDeadLetterId(`dlq:0:${offset}`)) };
    const scope = scopeOfProcessor('stock', SHOP);
    const events = await redrive({ select, scope, execute: false });
    const steps = events.flatMap((event) => (event.kind === 'would_send' ? event.steps : []));
    expect(steps.map(({ now }) => now)).toMatchObject([
      { kind: 'dead_letter', code: 'invalid_quantity' },
      { kind: 'dead_letter', code: 'unknown_product' },
      { kind: 'message' },
    ]);
    expect(events.at(-1)).toMatchObject({ summary: { failsAgain: 2 } });
    const [id] = select.ids;
    const value = new TextEncoder().encode('{"event_id":"E-1","product_id":"cup","quantity":1}');
    const corrected = redrive({ select: { ids: id === undefined ? [] : [id] }, scope, value });
    await expect(corrected).rejects.toMatchObject({ code: 'invalid_input' });
    expect(sent('store_sales')).toEqual([]);
  });
});
