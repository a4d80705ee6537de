import type { Answer, Effect } from '../../../domain/effects.ts';
import { HERE_AT_ONCE, OUTSIDE_AT_ONCE, type EffectPerformers } from '../../../ports/effects.ts';
import type { Mailer, Sending } from '../../../ports/outside/mailer.ts';
import type { Webhook } from '../../../ports/outside/webhook.ts';
import { contentOf, logLineOf } from '../../../processors/delivery/content.ts';
import type { DeliveryFields } from '../../../processors/delivery/processor.ts';

export interface DeliveryPorts {
  readonly mailer: Mailer | null;
  readonly webhook: Webhook | null;
  /** Writes one line to the log. */
  readonly log: (text: string) => void;
}

/** Performs the effects of the processor `delivery`. A second copy is harmless: it has the id of the first. */
export function deliveryPerformers({ mailer, webhook, log }: DeliveryPorts): EffectPerformers {
  return {
    log: {
      atOnce: HERE_AT_ONCE,
      perform: async (effect) => {
        log(logLineOf(fieldsOf(effect)));
        return delivered('logged');
      },
    },
    mail: {
      atOnce: OUTSIDE_AT_ONCE,
      perform: async (effect) => {
        const fields = fieldsOf(effect);
        const { to, at } = fields;
        if (mailer === null || to === null) return unset('no mail server is configured');
        const { subject, text } = contentOf(fields);
        return answerOf(await mailer.send({ id: effect.key, to, subject, text, at }));
      },
    },
    webhook: {
      atOnce: OUTSIDE_AT_ONCE,
      perform: async (effect, { signal }) => {
        const fields = fieldsOf(effect);
        if (webhook === null) return unset('no webhook is configured');
        const { event: type, data } = contentOf(fields);
        const { at, traceparent } = fields;
        const event = { id: effect.key, type, at, data, traceparent: traceparent ?? null };
        return answerOf(await webhook.post(event, signal));
      },
    },
  };
}

function fieldsOf(effect: Effect): DeliveryFields {
  return effect.fields as unknown as DeliveryFields;
}

function answerOf(sending: Sending): Answer {
  switch (sending.kind) {
    case 'sent':
      return delivered(sending.detail);
    case 'refused':
      return { kind: 'done', fields: { outcome: 'refused', detail: sending.detail } };
    case 'fault':
      return { kind: 'failed', message: sending.detail, isUnknown: true };
  }
}

function delivered(detail: string): Answer {
  return { kind: 'done', fields: { outcome: 'delivered', detail } };
}

/** The setting was removed after the effect was stored. */
function unset(message: string): Answer {
  return { kind: 'failed', message, isUnknown: false };
}
