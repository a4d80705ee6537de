import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Alert } from '../documents/http/alerts.ts';
import { getAlerts } from './data/api.ts';
import { clock } from './text.ts';

const LOOK_EVERY_MS = 5_000;

const alerts = signal<readonly Alert[] | null>(null);
const problem = signal<string | null>(null);

async function refresh(): Promise<void> {
  if (document.hidden) return;
  const answer = await getAlerts(null);
  problem.value = answer.ok ? null : answer.detail;
  if (answer.ok) alerts.value = answer.body.alerts;
}

/** Stock that needed attention, the latest first. */
export function Alerts() {
  useEffect(() => {
    void refresh();
    const timer = setInterval(() => void refresh(), LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const all = alerts.value;
  return (
    <section class="card alerts">
      <h2>Alerts</h2>
      {problem.value === null ? null : <p class="trouble">{problem.value}</p>}
      {all?.length === 0 ? (
        <p class="quiet">
          None so far. They are sent when stock runs low, by <code>orderctl run --events</code>.
        </p>
      ) : (
        <ul>
          {(all ?? []).map((alert) => (
            <li key={alert.event_id} class="line">
              <time>{clock(alert.at)}</time> {alert.message}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
