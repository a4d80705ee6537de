import { beforeEach, describe, expect, it } from 'vitest';
import type { Answer, Effect } from '../../../src/domain/effects.ts';
import type { Notification } from '../../../src/domain/messages/checkout/notification.ts';
import { ALERT, type Alert } from '../../../src/domain/messages/shop/alert.ts';
import { NOTIFICATION } from '../../../src/domain/messages/checkout/notification.ts';
import type { StateChanges } from '../../../src/domain/state.ts';
import { contentOf } from '../../../src/processors/delivery/content.ts';
import { DELIVERIES } from '../../../src/processors/delivery/facts.ts';
import { delivery, type DeliveryFields } from '../../../src/processors/delivery/processor.ts';
import type { DeliveryRules } from '../../../src/processors/delivery/rules.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ModelFolder } from '../../support/model.ts';

const MAIL_AND_HOOK: DeliveryRules = { mail: { alertsTo: 'shop@example.org' }, webhook: true };
const ALERT_OF: Alert = {
  event_id: 'shop/alerts/P-567/1/low_stock',
  kind: 'low_stock',
  item: 'P-567',
  revision: 1,
  on_hand: 1,
  reorder_level: 1,
  order_id: 'ORD-1',
  at: Date.UTC(2026, 0, 2),
  message: 'Low stock alert for Product P-567: only 1 item left!',
};
const NOTICE: Notification = {
  notification_id: 'n-1',
  customer_id: 'alice',
  order_id: 'ORD-1',
  channel: 'email',
  recipient: 'alice@example.org',
  subject: 'Paid',
  body: 'Thank you',
  cause: 'payments.processed',
  at: 0,
};

let clock: FakeClock;
let folder: ModelFolder;
beforeEach(() => {
  clock = new FakeClock();
  folder = new ModelFolder(clock);
});

async function receive(rules: DeliveryRules, ...messages: readonly (Alert | Notification)[]) {
  const processor = delivery({ delivery: rules });
  const received = messages.map((message, offset) => ({
    message,
    traceparent: null,
    source: 'event_id' in message ? ALERT.name : NOTIFICATION.name,
    record: { topic: 'alerts', partition: 0, offset },
  }));
  await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  return await store.transact(processor.keys(received), (state) => {
    const { changes, results } = processor.decide(received, state);
    return { changes, result: results };
  });
}

/** Takes what is due and answers it. @returns the effects tried */
async function answer(given: Answer): Promise<readonly Effect[]> {
  const { effects } = delivery({ delivery: MAIL_AND_HOOK });
  if (effects === undefined) throw new Error('it has no effects');
  await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  const taken = await store.takeEffects({ kinds: effects.kinds, limit: 10, leaseMs: 60_000 });
  for (const effect of taken) {
    await store.transact(effects.keys([effect]), (state) => {
      const changes: StateChanges = effects.settle([{ effect, answer: given }], state);
      return { changes, result: undefined };
    });
  }
  return taken;
}

const steps = (id: string) =>
  folder.factsOf(DELIVERIES, id).map(({ channel, step, attempts }) => [channel, step, attempts]);
const DELIVERED: Answer = { kind: 'done', fields: { outcome: 'delivered', detail: '250 OK' } };
const REFUSED: Answer = { kind: 'done', fields: { outcome: 'refused', detail: '550 no such user' } };
const FAULT: Answer = { kind: 'failed', message: '451 try later', isUnknown: true };

describe('what is owed', () => {
  it('an alert goes to each channel that is set, once however often it comes', async () => {
    const results = await receive(MAIL_AND_HOOK, ALERT_OF, ALERT_OF);
    expect(results.map(({ kind }) => kind)).toEqual(['handled', 'seen']);
    expect(results[0]).toMatchObject({ detail: expect.stringMatching(/^to be sent by /) as string });
    expect([...folder.owed.values()]).toMatchObject([
      { kind: 'mail', key: ALERT_OF.event_id, fields: { to: 'shop@example.org' } },
      { kind: 'webhook', key: ALERT_OF.event_id, fields: { to: null, source: 'alerts', message: ALERT_OF } },
    ]);
    expect((await receive(MAIL_AND_HOOK, ALERT_OF)).map(({ kind }) => kind)).toEqual(['seen']);
    await answer(DELIVERED);
    expect(folder.owed.size).toBe(0);
    expect((await receive(MAIL_AND_HOOK, ALERT_OF)).map(({ kind }) => kind)).toEqual(['seen']);
    expect(folder.owed.size).toBe(0);
    expect(steps(ALERT_OF.event_id)).toEqual([
      ['mail', 'owed', 0],
      ['webhook', 'owed', 0],
      ['mail', 'delivered', 1],
      ['webhook', 'delivered', 1],
    ]);
  });

  it.each<[string, DeliveryRules, Alert | Notification, readonly (readonly [string, string | null])[]]>([
    ['an alert where nothing is set', { mail: null, webhook: false }, ALERT_OF, [['log', null]]],
    ['an alert without an address', { mail: { alertsTo: null }, webhook: false }, ALERT_OF, [['log', null]]],
    ['a notification', MAIL_AND_HOOK, NOTICE, [['mail', 'alice@example.org']]],
    ['one to nobody', MAIL_AND_HOOK, { ...NOTICE, recipient: null }, [['log', null]]],
    ['one where there is no mail', { mail: null, webhook: true }, NOTICE, [['log', null]]],
    [
      'one to the webhook',
      MAIL_AND_HOOK,
      { ...NOTICE, channel: 'webhook' },
      [['webhook', 'alice@example.org']],
    ],
    ['one to the log', MAIL_AND_HOOK, { ...NOTICE, channel: 'log' }, [['log', null]]],
  ])('%s', async (_, rules, message, expected) => {
    await receive(rules, message);
    expect([...folder.owed.values()].map(({ kind, fields }) => [kind, fields.to])).toEqual(expected);
  });

  it('a mail says all there is, and its subject is one line whatever the alert holds', async () => {
    await receive(MAIL_AND_HOOK, { ...ALERT_OF, message: 'Low\r\nBcc: all@example.org' });
    const [owed] = folder.owed.values();
    expect(contentOf(owed?.fields as unknown as DeliveryFields)).toMatchObject({
      event: 'alert.low_stock',
      subject: 'Low Bcc: all@example.org',
      text: expect.stringContaining(
        '\n\nitem: P-567\non hand: 1\nreorder level: 1\norder: ORD-1\nat: 2026-01-02T00:00:00.000Z\n',
      ) as string,
      data: { item: 'P-567', at: '2026-01-02T00:00:00.000Z' },
    });
  });
});

describe('what came of it', () => {
  it('a fault is tried again after 1 s, 5 s, 30 s, 5 min and 1 h, then parked as a dead letter', async () => {
    await receive({ mail: { alertsTo: 'shop@example.org' }, webhook: false }, ALERT_OF);
    const pauses: number[] = [];
    while ([...folder.owed.values()][0]?.state !== 'parked') {
      const before = clock.now();
      await answer(FAULT);
      const [owed] = folder.owed.values();
      if (owed?.state !== 'due') continue;
      pauses.push((owed.dueAt - before) / 1000);
      expect(await answer(FAULT)).toEqual([]);
      clock.time = owed.dueAt;
    }
    expect(pauses).toEqual([1, 5, 30, 300, 3600]);
    expect(steps(ALERT_OF.event_id).at(-1)).toEqual(['mail', 'failed', 6]);
    expect(folder.outgoing).toMatchObject([
      {
        type: 'alerts',
        key: 'P-567',
        fields: ALERT_OF,
        deadLetter: { code: 'delivery_failed', message: '451 try later', attempts: 6, processor: 'delivery' },
      },
    ]);
  });

  it('a refusal is for good: parked at once, and a redriven alert is one more try of the same', async () => {
    await receive({ mail: { alertsTo: 'shop@example.org' }, webhook: false }, ALERT_OF);
    const [first] = await answer(REFUSED);
    expect([...folder.owed.values()]).toMatchObject([{ state: 'parked', attempts: 1 }]);
    expect(folder.outgoing).toMatchObject([{ deadLetter: { code: 'delivery_refused' } }]);
    expect(await receive(MAIL_AND_HOOK, ALERT_OF)).toMatchObject([{ kind: 'handled' }]);
    const [second] = await answer(REFUSED);
    expect(second).toMatchObject({ id: first?.id, key: first?.key, attempts: 2 });
    expect(new Set(folder.outgoing.map(({ id }) => id)).size).toBe(2);
    await receive(MAIL_AND_HOOK, ALERT_OF);
    await answer(DELIVERED);
    expect(folder.owed.size).toBe(0);
  });

  it('what two channels refuse of one alert is two dead letters', async () => {
    await receive(MAIL_AND_HOOK, ALERT_OF);
    await answer(REFUSED);
    expect(new Set(folder.outgoing.map(({ id }) => id)).size).toBe(2);
  });
});
