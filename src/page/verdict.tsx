import { heardAt, isStale, items, now, overview, placed, processors, type Fate } from './data/state.ts';
import { ago, clock, grouped } from './text.ts';

const OPENED_AT = Date.now();
const PATIENCE_MS = 5_000;

type Look = 'good' | 'moving' | 'bad' | 'unknown';

/** The books in one line, always on top. */
export function Verdict() {
  const seen = overview.value;
  const books = seen?.books ?? null;
  const look = lookNow();
  return (
    <section class={`verdict ${look}`} aria-live="off" aria-label="The books">
      {books === null ? (
        <p class="sum">{beginning()}</p>
      ) : (
        <p class="sum">
          <b>{grouped(books.put_in)}</b> put in <span aria-label="minus">−</span> <b>{grouped(books.sold)}</b>{' '}
          sold
          {books.returned === 0 ? null : (
            <>
              {' '}
              + <b>{grouped(books.returned)}</b> returned
            </>
          )}{' '}
          = <b>{grouped(books.on_hand)}</b> on the shelf <Mark look={look} />
        </p>
      )}
      <p class="small">
        {books === null ? null : (
          <span>
            <b class="mark">{MARKS[look][1]}</b> · <Checked at={books.checked_at} look={look} />
          </span>
        )}
        {books?.difference == null ? null : (
          <strong>
            {books.difference.item}: {grouped(books.difference.expected)} by the books,{' '}
            {grouped(books.difference.actual)} on hand. Check with <code>orderctl audit</code>
          </strong>
        )}
        <Ledger />
      </p>
      <Trouble />
    </section>
  );
}

/** The text while a page that was just opened has no answer yet, which is not an error. */
function beginning(): string {
  if (items.value?.length === 0) return 'This shop is empty.';
  if (heardAt.value > 0) return 'Adding up the books …';
  return now.value - OPENED_AT < PATIENCE_MS ? 'Contacting the shop …' : 'No answer from the server yet.';
}

/** When the books were checked; as a time of day if they are no longer being checked. */
function Checked({ at, look }: { at: string; look: Look }) {
  const since = ago(Date.parse(at), now.value);
  return look === 'unknown' ? (
    <span>
      last added up at {clock(at)}, {since}
    </span>
  ) : (
    <span>checked {since}</span>
  );
}

/** Books checked longer ago than this are outdated. */
const BOOKS_MS = 30_000;

function lookNow(): Look {
  const seen = overview.value;
  const books = seen?.books ?? null;
  if (seen === null || books === null || isStale.value || seen.problem !== null) return 'unknown';
  if (Date.parse(seen.at) - Date.parse(books.checked_at) > BOOKS_MS) return 'unknown';
  if (books.difference !== null) return 'bad';
  const isAwaited = [...placed.value.values()].some((what) => what === 'sent' || what === 'answered');
  const isUnderWay = books.orders.VALIDATED + books.orders.PAID > 0;
  // Without a consumer, or before the brokers answered, the lag is not known.
  const waits = seen.consumer === null || processors.value.some(({ lag }) => lag !== 0);
  return isAwaited || isUnderWay || waits ? 'moving' : 'good';
}

const MARKS: Readonly<Record<Look, readonly [sign: string, meaning: string]>> = {
  good: ['✓', 'the books balance'],
  moving: ['✓', 'the books balance; orders are in flight'],
  bad: ['✗', 'the books do not balance'],
  unknown: ['?', 'not checked now'],
};

function Mark({ look }: { look: Look }) {
  const [sign] = MARKS[look];
  return (
    <span class="mark" aria-hidden="true">
      {sign}
    </span>
  );
}

/** The orders of this browser, by its own count. */
function Ledger() {
  const all = [...placed.value.values()].filter((what) => what !== 'refused');
  const count = (...of: readonly Fate[]): string => grouped(all.filter((what) => of.includes(what)).length);
  const lost = count('lost');
  return (
    <span>
      you placed {grouped(all.length)} · answered {count('answered', 'decided', 'lost')} · decided{' '}
      {count('decided')} · {lost === '0' ? 'lost 0' : <strong>lost {lost}</strong>}
    </span>
  );
}

/** Describes what is wrong; empty if nothing is. */
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
  if (consumer === null && seen.parts?.some(({ problem }) => problem !== null) === true) {
    return <p class="trouble">A process of the shop has ended, see below: orders wait, and none is lost.</p>;
  }
  if (consumer === null && seen.parts !== null) {
    return <p class="trouble">The processors are being started: orders wait meanwhile, and none is lost.</p>;
  }
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
