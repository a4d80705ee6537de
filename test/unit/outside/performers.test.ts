import { expect, it } from 'vitest';
import { deliveryPerformers } from '../../../src/app/run/performers/delivery.ts';
import type { Effect, EffectKind } from '../../../src/domain/effects.ts';
import type { Mail, Sending } from '../../../src/ports/outside/mailer.ts';
import type { WebhookEvent } from '../../../src/ports/outside/webhook.ts';

const message = {
  notification_id: 'e-1',
  customer_id: 'alice',
  order_id: 'o-1',
  channel: 'email',
  recipient: 'a@b.c',
  subject: 'Low\nstock',
  body: 'All of it',
  cause: 'shipments.created',
  at: 7,
};
const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const never = new AbortController().signal;

function effect(kind: EffectKind, fields = {}): Effect {
  return {
    id: `delivery/e-1/${kind}`,
    kind,
    key: 'e-1',
    state: 'trying',
    dueAt: 0,
    attempts: 1,
    firstTriedAt: 0,
    fields: {
      delivery_id: 'e-1',
      to: 'shop@example.org',
      at: 7,
      source: 'notifications.outbound',
      message,
      traceparent: TRACE,
      ...fields,
    },
  };
}

it('sends what is owed by its channel, under its key', async () => {
  const mails: Mail[] = [];
  const posted: WebhookEvent[] = [];
  const logged: string[] = [];
  const sent: Sending = { kind: 'sent', detail: 'OK' };
  const performers = deliveryPerformers({
    mailer: { send: async (mail) => (mails.push(mail), sent), close: () => undefined },
    webhook: { post: async (event) => (posted.push(event), sent) },
    log: (text) => logged.push(text),
  });
  for (const kind of ['log', 'mail', 'webhook'] as const) {
    expect(
      await performers[kind]?.perform(effect(kind), { signal: never, isOver: () => false }),
    ).toMatchObject({
      kind: 'done',
      fields: { outcome: 'delivered' },
    });
  }
  expect(mails).toEqual([
    { id: 'e-1', to: 'shop@example.org', subject: 'Low stock', text: 'All of it', at: 7 },
  ]);
  const data = { ...message, at: '1970-01-01T00:00:00.007Z' };
  expect(posted).toEqual([{ id: 'e-1', type: 'notification', at: 7, data, traceparent: TRACE }]);
  expect(logged).toEqual(['to customer alice: Low stock']);
});

it('a refusal is an answer, a fault is none, and neither is a setting that was taken back', async () => {
  const saying = (sending: Sending) =>
    deliveryPerformers({
      mailer: { send: async () => sending, close: () => undefined },
      webhook: null,
      log: () => undefined,
    });
  const refusing = saying({ kind: 'refused', detail: '550' });
  expect(await refusing.mail?.perform(effect('mail'), { signal: never, isOver: () => false })).toEqual({
    kind: 'done',
    fields: { outcome: 'refused', detail: '550' },
  });
  const failing = saying({ kind: 'fault', detail: '451' });
  expect(await failing.mail?.perform(effect('mail'), { signal: never, isOver: () => false })).toMatchObject({
    kind: 'failed',
    message: '451',
  });
  expect(
    await failing.mail?.perform(effect('mail', { to: null }), { signal: never, isOver: () => false }),
  ).toMatchObject({ kind: 'failed' });
  expect(
    await failing.webhook?.perform(effect('webhook'), { signal: never, isOver: () => false }),
  ).toMatchObject({ kind: 'failed' });
});
