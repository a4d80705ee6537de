import { heardAt, isStale, now, overview, placed } from './data/state.ts';
import { ago, grouped } from './text.ts';

type Look = 'good' | 'moving' | 'bad' | 'unknown';

/** The books in one line, always on top. */
export function Verdict() {
  const seen = overview.value;
  const books = seen?.books ?? null;
  const look = lookNow();
  return (
    <section class={`verdict ${look}`} aria-live="off" aria-label="The books">
      {books === null ? (
        <p class="sum">{isStale.value ? 'No answer from the server yet.' : 'Adding up the books …'}</p>
      ) : (
        <p class="sum">
          <b>{grouped(books.put_in)}</b> put in <span aria-label="minus">−</span> <b>{grouped(books.sold)}</b>{' '}
          sold
          {books.moved === 0 ? null : (
            <>
              {' '}
              {books.moved < 0 ? '−' : '+'} <b>{grouped(Math.abs(books.moved))}</b> by the checkout
            </>
          )}{' '}
          = <b>{grouped(books.on_hand)}</b> on the shelf <Mark look={look} />
        </p>
      )}
      <p class="small">
        {books === null ? null : <span>checked {ago(Date.parse(books.checked_at), now.value)}</span>}
        {books?.difference == null ? null : (
          <strong>
            {books.difference.item}: {grouped(books.difference.expected)} by the books,{' '}
            {grouped(books.difference.actual)} on hand. Look with <code>orderctl audit</code>
          </strong>
        )}
        <Ledger />
      </p>
      <Trouble />
    </section>
  );
}

/** Books that were added up longer ago say nothing of now. */
const BOOKS_MS = 30_000;

function lookNow(): Look {
  const seen = overview.value;
  const books = seen?.books ?? null;
  if (seen === null || books === null || isStale.value || seen.problem !== null) return 'unknown';
  if (Date.parse(seen.at) - Date.parse(books.checked_at) > BOOKS_MS) return 'unknown';
  if (books.difference !== null) return 'bad';
  const isAwaited = [...placed.value.values()].some((what) => what === 'sent' || what === 'answered');
  // Without a consumer, or before the brokers have answered, it is not known what waits.
  return isAwaited || seen.consumer?.lag !== 0 ? 'moving' : 'good';
}

const MARKS: Readonly<Record<Look, readonly [sign: string, meaning: string]>> = {
  good: ['✓', 'the books balance'],
  moving: ['✓', 'the books balance; orders may be on their way'],
  bad: ['✗', 'the books do not balance'],
  unknown: ['?', 'not checked now'],
};

function Mark({ look }: { look: Look }) {
  const [sign, meaning] = MARKS[look];
  return (
    <span class="mark" title={meaning} role="img" aria-label={meaning}>
      {sign}
    </span>
  );
}

/** What this browser has placed, by its own count. */
function Ledger() {
  const all = [...placed.value.values()].filter((what) => what !== 'refused');
  if (all.length === 0) return null;
  const answered = all.filter((what) => what !== 'sent').length;
  const decided = all.filter((what) => what === 'decided').length;
  return (
    <span>
      you placed {all.length} · answered {answered} · decided {decided}
    </span>
  );
}

/** Says in words what is wrong; empty when all is well. */
function Trouble() {
  const seen = overview.value;
  if (isStale.value && heardAt.value > 0) {
    return (
      <p class="trouble">The server does not answer: this is how it was {ago(heardAt.value, now.value)}.</p>
    );
  }
  if (seen === null) return null;
  if (seen.problem !== null) return <p class="trouble">{seen.problem}</p>;
  const { consumer } = seen;
  if (consumer === null) {
    return (
      <p class="trouble">
        No processor runs on this shop: orders wait. Start them with <code>orderctl run</code>.
      </p>
    );
  }
  if (consumer.state === 'waiting') {
    return (
      <p class="trouble">
        The processors wait for the {consumer.waiting_for ?? 'broker'}; nothing is lost meanwhile.
      </p>
    );
  }
  return null;
}
