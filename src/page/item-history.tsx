import { useEffect, useRef, useState } from 'preact/hooks';
import type { ItemChange, ItemChanges } from '../documents/http/item-changes.ts';
import { getItemChanges } from './data/api.ts';
import { every } from './data/state.ts';
import { clock, grouped, shortId } from './text.ts';

const LOOK_EVERY_MS = 3_000;
/** For an item that seldom changes, a page may be empty although older pages exist, so several are fetched. */
const PAGES_AT_ONCE = 5;

/**
 * The changes to the stock of an item. The latest are refetched when the stock changes, unless older ones are shown.
 *
 * @param props.quantity on hand now
 */
export function ItemHistory({ item, quantity }: { item: string; quantity: number }) {
  const [shown, show] = useState<ItemChanges | null>(null);
  const [wrong, say] = useState('');
  const isAtLatest = useRef(true);
  const now = useRef(quantity);
  now.current = quantity;
  const looked = useRef(quantity);
  const look = async (from: ItemChanges | null): Promise<void> => {
    const changes = [...(from?.changes ?? [])];
    looked.current = now.current;
    let next = from?.next ?? null;
    for (let pages = 0; pages < PAGES_AT_ONCE; pages += 1) {
      const answer = await getItemChanges(item, next);
      say(answer.ok ? '' : answer.detail);
      if (!answer.ok) return;
      changes.push(...answer.body.changes);
      ({ next } = answer.body);
      if (answer.body.changes.length > 0 || next === null) break;
    }
    if (from !== null || isAtLatest.current) show({ changes, next });
  };
  useEffect(() => {
    void look(null);
    return every(LOOK_EVERY_MS, async () => {
      if (isAtLatest.current && looked.current !== now.current) await look(null);
    });
  }, [item]);
  const earlier = (): void => {
    isAtLatest.current = false;
    void look(shown);
  };
  return (
    <div class="history">
      {shown?.changes.length === 0 && shown.next === null ? (
        <p class="quiet">Nothing has changed it yet.</p>
      ) : null}
      <ol class="timeline" aria-label={`What changed the stock of ${item}`}>
        {(shown?.changes ?? []).map((change, index) => (
          <li key={index}>
            <time dateTime={change.at}>{when(change.at)}</time>
            <b>
              {onHand(change.before)} → {onHand(change.after)}
            </b>
            <span class="what">{cause(change)}</span>
          </li>
        ))}
      </ol>
      {(shown?.next ?? null) === null ? null : (
        <button type="button" class="more" onClick={earlier}>
          Earlier
        </button>
      )}
      <p class="said bad" role="status">
        {wrong}
      </p>
    </div>
  );
}

function onHand(quantity: number | null): string {
  return quantity === null ? 'none' : grouped(quantity);
}

/** The time, with its date if it is another day. */
function when(iso: string): string {
  const at = new Date(iso);
  const isToday = at.toDateString() === new Date().toDateString();
  return isToday ? clock(iso) : `${at.toLocaleDateString('en-CA')} ${clock(iso)}`;
}

function cause({ cause: what, order_id: order, event_id: event, by, via, why }: ItemChange): string {
  const id = order ?? event;
  const named = id === null ? '' : ` ${shortId(id)}`;
  switch (what) {
    case 'edit':
      return `${why ?? 'edited'}, by ${by ?? '?'} (${via ?? '?'})`;
    case 'restock':
      return `delivery${named}`;
    case 'release':
      return `back from order${named}`;
    case 'reservation':
      return `order${named}`;
    case 'sale':
      return order === null ? `sale${named}` : `order${named}`;
  }
}
