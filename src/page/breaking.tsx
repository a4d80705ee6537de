import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import type { Experiment, ExperimentList } from '../documents/http/experiment.ts';
import { receiptInWords } from '../documents/write/experiment.ts';
import { beginExperiment } from './data/api.ts';
import { experiments, isStale, now, refreshExperiments } from './data/state.ts';
import { clock } from './text.ts';

const LABELS: Readonly<Record<string, string>> = {
  'kill-shop': 'kill -9 the shop',
  'kill-broker': 'kill -9 the broker',
  'kill-api': 'kill -9 this API',
  'restart-broker': 'restart the broker',
  duplicates: 'every order twice',
  garbage: 'garbage',
  late: 'late orders',
  'gateway-down': 'gateway down',
  'gateway-loses': 'gateway loses answers',
  'last-one': 'ten buyers, one left',
  chaos: 'chaos',
};
const SHOWN = 5;
const HINT_AFTER_MS = 5_000;

const openedAt = Date.now();
const isShowingAll = signal(false);

/** Buttons that cause failures; only for the shop of `up`. */
export function Breaking() {
  const list = experiments.value;
  const [problem, say] = useState('');
  const [seed, setSeed] = useState('');
  if (list?.available !== true) return null;
  const { running, kinds, experiments: receipts } = list;
  const press = async (kind: string): Promise<void> => {
    say('');
    const answer = await beginExperiment(kind, /^\d+$/.test(seed) ? Number(seed) : null);
    if (!answer.ok) say(answer.detail);
    await refreshExperiments();
  };
  const isNew = receipts.length === 0 && running === null;
  return (
    <section class="card breaking">
      <h2>Break it</h2>
      {isNew && now.value - openedAt > HINT_AFTER_MS ? (
        <p class="hint">Kill the shop. Watch the sum.</p>
      ) : (
        <p class="quiet">Only here, on this machine and this shop; each press leaves a receipt.</p>
      )}
      <div class="buttons">
        {kinds.map(({ kind, about }) => (
          <button
            key={kind}
            type="button"
            title={about}
            disabled={running !== null || isStale.value}
            onClick={() => void press(kind)}
          >
            {LABELS[kind] ?? kind}
          </button>
        ))}
        <label class="seed">
          Seed
          <input
            name="seed"
            inputMode="numeric"
            placeholder="random"
            value={seed}
            autocomplete="off"
            onInput={({ currentTarget }) => setSeed(currentTarget.value.trim())}
          />
        </label>
      </div>
      <p class="said bad" role="alert">
        {problem}
      </p>
      <Receipts running={running} receipts={receipts} />
    </section>
  );
}

function Receipts({
  running,
  receipts,
}: {
  running: ExperimentList['running'];
  receipts: readonly Experiment[];
}) {
  const shown = isShowingAll.value ? receipts : receipts.slice(0, SHOWN);
  return (
    <>
      <ul aria-live="polite" aria-label="Receipts">
        {running === null ? null : (
          <li class="receipt">
            <span class="dot moving" aria-hidden="true" />
            <span>
              {LABELS[running.kind] ?? running.kind} · under way · seed {running.seed}
            </span>
          </li>
        )}
        {shown.map((receipt) => (
          <li key={receipt.id} class="receipt">
            <span class={`dot ${receipt.ok ? 'good' : 'bad'}`} aria-hidden="true" />
            <span>
              <time>{clock(receipt.ended_at)}</time> {receiptInWords(receipt)}{' '}
              <code class="quiet">
                orderctl break {receipt.kind} --seed {receipt.seed}
              </code>
            </span>
          </li>
        ))}
      </ul>
      {receipts.length > SHOWN ? (
        <button type="button" class="more" onClick={() => (isShowingAll.value = !isShowingAll.value)}>
          {isShowingAll.value ? 'Show fewer' : `Show all ${receipts.length} receipts`}
        </button>
      ) : null}
    </>
  );
}
