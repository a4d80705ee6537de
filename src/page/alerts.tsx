import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Notification } from '../documents/http/messages.ts';
import { getAlerts, getNotifications } from './data/api.ts';
import { alerts, every } from './data/state.ts';
import { clock, shortId } from './text.ts';

/** Alerts are pushed by the server; mails are polled. */
const LOOK_EVERY_MS = 5_000;
const SHOWN = 10;

const mails = signal<readonly Notification[] | null>(null);
const problem = signal<string | null>(null);

async function refresh(): Promise<void> {
  const [sent, written] = [await getAlerts(null), await getNotifications()];
  problem.value = sent.ok ? (written.ok ? null : written.detail) : sent.detail;
  if (sent.ok) alerts.value = sent.body.alerts;
  if (written.ok) mails.value = written.body.notifications;
}

/** Messages of the shop: alerts to staff about stock, mail to customers about their orders. */
export function AlertsAndMail() {
  useEffect(() => every(LOOK_EVERY_MS, refresh), []);
  const isUnknown = problem.value !== null && alerts.value === null && mails.value === null;
  return (
    <section class="card alerts">
      <h2>Alerts and mail</h2>
      {problem.value === null ? null : <p class="trouble">{problem.value}</p>}
      {isUnknown ? null : <Messages />}
    </section>
  );
}

function Messages() {
  return (
    <>
      <h3>Alerts</h3>
      {alerts.value === null ? (
        <p class="quiet">{problem.value === null ? 'Loading alerts …' : ''}</p>
      ) : alerts.value.length === 0 ? (
        <p class="quiet">None so far: they are sent when stock runs low.</p>
      ) : (
        <ul>
          {alerts.value.slice(0, SHOWN).map((alert) => (
            <li key={alert.event_id} class="line">
              <time>{clock(alert.at)}</time> {alert.message}
            </li>
          ))}
        </ul>
      )}
      <h3>Mail</h3>
      {mails.value === null ? (
        <p class="quiet">{problem.value === null ? 'Loading mails …' : ''}</p>
      ) : mails.value.length === 0 ? (
        <p class="quiet">None so far: customers receive mail at each step of a checkout.</p>
      ) : (
        <ul>
          {mails.value.map((mail) => (
            <Mail key={mail.notification_id} mail={mail} />
          ))}
        </ul>
      )}
    </>
  );
}

function Mail({ mail }: { mail: Notification }) {
  const { subject, body, customer_id: customer, recipient, order_id: id, at } = mail;
  return (
    <li class="line">
      <details>
        <summary>
          <time>{clock(at)}</time> {subject} <small>to {recipient ?? customer}</small>
        </summary>
        <p class="body">{body}</p>
        <p class="quiet">
          order <code title={id}>{shortId(id)}</code> · {fateOf(mail)}
        </p>
      </details>
    </li>
  );
}

function fateOf({ deliveries }: Notification): string {
  if (deliveries.length === 0) return 'not delivered yet';
  return deliveries
    .map(({ channel, step, attempts, detail }) => {
      const tries = attempts > 1 ? ` after ${attempts} tries` : '';
      const by =
        channel === 'log' ? 'written to the log (the customer has no address)' : `${step} by ${channel}`;
      return step === 'failed' ? `failed by ${channel}${tries}: ${detail ?? 'no answer'}` : `${by}${tries}`;
    })
    .join(', ');
}
