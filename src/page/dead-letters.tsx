import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import type { DeadLetter, ShownDeadLetter } from '../documents/dead-letter.ts';
import { getDeadLetter, getDeadLetters, redrive } from './data/api.ts';
import { ByHand } from './by-hand.tsx';
import { every, overview } from './data/state.ts';
import { dump } from './orders/records.tsx';
import { clock, grouped } from './text.ts';

const LOOK_EVERY_MS = 5_000;
/** The page shows at most this many; for more there is the command line. */
const MAX_SHOWN = 500;

const letters = signal<readonly DeadLetter[] | null>(null);
const next = signal<string | null>(null);
const problem = signal<string | null>(null);
/** Whether older pages are shown; the list is then no longer refreshed. */
const isExtended = signal(false);

async function refresh(): Promise<void> {
  const answer = await getDeadLetters('open', null);
  problem.value = answer.ok ? null : answer.detail;
  if (!answer.ok || isExtended.value) return;
  letters.value = answer.body.dead_letters;
  next.value = answer.body.next;
}

async function readOlder(): Promise<void> {
  isExtended.value = true;
  const answer = await getDeadLetters('open', next.value);
  problem.value = answer.ok ? null : answer.detail;
  if (!answer.ok) return;
  letters.value = [...(letters.value ?? []), ...answer.body.dead_letters];
  next.value = answer.body.next;
}

/** Records that could not be read or processed, to inspect, correct and send back. */
export function DeadLetters() {
  useEffect(() => every(LOOK_EVERY_MS, refresh), []);
  const all = letters.value;
  return (
    <section class="card dead-letters">
      <h2>Dead letters</h2>
      {problem.value === null ? null : <p class="trouble">{problem.value}</p>}
      {all === null || all.length === 0 ? null : <p class="quiet">{howMany(all.length)}</p>}
      {all?.some(isSample) === true ? (
        <p class="quiet">
          Some come from the samples, a few of which are invalid on purpose, to show what happens to such
          events.
        </p>
      ) : null}
      {all === null ? (
        <p class="quiet">{problem.value === null ? 'Loading dead letters …' : ''}</p>
      ) : all.length === 0 ? (
        <p class="quiet">None is open: everything that arrived could be read.</p>
      ) : (
        <ul>
          {all.map((letter) => (
            <Row key={letter.id} letter={letter} />
          ))}
        </ul>
      )}
      {next.value === null ? null : (all ?? []).length >= MAX_SHOWN ? (
        <p class="quiet">
          Older ones: <code>orderctl dlq list --state open</code>
        </p>
      ) : (
        <button type="button" class="more" onClick={() => void readOlder()}>
          Show older ones
        </button>
      )}
    </section>
  );
}

/** The product in invalid samples: see app/send/sources.ts. */
const SAMPLE_PRODUCT = 'no-such-product';

function isSample({ error_message: message }: DeadLetter): boolean {
  return message?.includes(SAMPLE_PRODUCT) === true;
}

/** The flow counts all dead letters in the topics, the list only the open ones. */
function howMany(shown: number): string {
  const total = overview.value?.kafka.dead_letters ?? null;
  const open = next.value === null ? `${grouped(shown)} open` : `The latest ${grouped(shown)} that are open`;
  if (total === null) return open;
  return total > shown && next.value === null
    ? `${open}; the others of the ${grouped(total)} dead-lettered were redriven or discarded.`
    : `${open}, of ${grouped(total)} dead-lettered.`;
}

function Row({ letter }: { letter: DeadLetter }) {
  const [isOpen, open] = useState(false);
  const { original } = letter;
  return (
    <li>
      <button type="button" class="row" aria-expanded={isOpen} onClick={() => open(!isOpen)}>
        <span class="dot bad" aria-hidden="true" />
        <time>{clock(letter.failed_at)}</time>
        <span class="what">{(letter.error_code ?? 'unknown').replaceAll('_', ' ')}</span>
        <code>
          {original.topic ?? letter.topic}/{original.partition ?? '?'}@{original.offset ?? '?'}
        </code>
      </button>
      {isOpen ? <Details letter={letter} /> : null}
    </li>
  );
}

function Details({ letter }: { letter: DeadLetter }) {
  const [shown, show] = useState<ShownDeadLetter | null>(null);
  const [said, say] = useState<{ readonly text: string; readonly look: string }>({ text: '', look: '' });
  useEffect(() => {
    void getDeadLetter(letter.id).then((answer) => {
      if (answer.ok) show(answer.body);
      else say({ text: answer.detail, look: 'bad' });
    });
  }, [letter.id]);
  const send = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const text = new FormData(event.currentTarget as HTMLFormElement).get('value');
    let value: unknown = null;
    try {
      if (typeof text === 'string' && text.trim() !== '') value = JSON.parse(text) as unknown;
    } catch {
      say({ text: 'the corrected value is not valid JSON', look: 'bad' });
      return;
    }
    const answer = await redrive(letter.id, value);
    if (!answer.ok) {
      say({ text: [answer.detail, answer.fix ?? ''].filter((part) => part !== '').join(' · '), look: 'bad' });
      return;
    }
    say({ text: 'sent back', look: 'good' });
    await refresh();
  };
  return (
    <div class="details">
      <Facts letter={letter} shown={shown} />
      <form class="redrive" onSubmit={(event) => void send(event)}>
        <label>
          Corrected value as JSON; empty: unchanged
          <textarea name="value" rows={4} spellcheck={false} placeholder={exampleFor(letter)} />
        </label>
        {shown?.decoded?.text == null ? null : (
          <button type="button" class="more" onClick={(event) => takeOver(event, shown.decoded?.text ?? '')}>
            Start with its own value
          </button>
        )}
        <button type="submit">Send it back</button>
        <p class={`said ${said.look}`} role="status">
          {said.text}
        </p>
      </form>
      <ByHand
        cli={`orderctl dlq redrive ${letter.id} --execute`}
        call={`POST /dead-letters/${encodeURIComponent(letter.id)}/redrive`}
      />
      <ByHand
        cli={`orderctl dlq show ${letter.id}`}
        call={`GET /dead-letters/${encodeURIComponent(letter.id)}`}
      />
    </div>
  );
}

const STOCK_EVENT = '{"event_id": "…", "product_id": "pen", "quantity": 1, "occurred_at": "…"}';
/** By topic: a value that every shop can read, even if it rejects it. */
const EXAMPLES: Readonly<Record<string, string>> = {
  orders: '{"order_id": "…", "user": "alice", "item": "pen", "quantity": 1}',
  online_orders: STOCK_EVENT,
  store_sales: STOCK_EVENT,
  supplier_restocks: STOCK_EVENT,
};

/** Topics not listed, or named otherwise by settings, have no example. */
function exampleFor({ original }: DeadLetter): string {
  return EXAMPLES[original.topic ?? ''] ?? '';
}

function takeOver({ currentTarget }: Event, text: string): void {
  const field = (currentTarget as HTMLElement).closest('form')?.elements.namedItem('value');
  if (field instanceof HTMLTextAreaElement) field.value = text;
}

function valueInWords({ decoded, value }: ShownDeadLetter): string {
  if (decoded?.text != null) return decoded.text;
  const fields = (decoded?.fields ?? []).map(({ path, value: text }) => `${path} = ${text}`);
  return [...fields, dump(value?.hex ?? '')].join('\n');
}

function Facts({ letter, shown }: { letter: DeadLetter; shown: ShownDeadLetter | null }) {
  return (
    <dl>
      <dt>why</dt>
      <dd>{letter.error_message ?? letter.error_code ?? 'unknown'}</dd>
      <dt>of</dt>
      <dd>
        {letter.group ?? 'unknown'}, {grouped(letter.size_bytes)} bytes
      </dd>
      {shown?.value == null ? null : (
        <>
          <dt>value</dt>
          <dd>
            <pre tabIndex={0}>{valueInWords(shown)}</pre>
          </dd>
        </>
      )}
      {shown?.now == null ? null : (
        <>
          <dt>now</dt>
          <dd>
            {shown.now.readable
              ? 'it would be read'
              : `it would fail again: ${shown.now.error_message ?? shown.now.error_code ?? ''}`}
          </dd>
        </>
      )}
    </dl>
  );
}
