import { useState } from 'preact/hooks';
import type { Item } from '../documents/table.ts';
import { adjustStock } from './data/api.ts';
import { items, refreshItems } from './data/state.ts';
import { ByHand } from './by-hand.tsx';
import { ItemHistory } from './item-history.tsx';
import { fieldIn, grouped } from './text.ts';

const SHOWN = 50;

/** The stock, items that are low first. */
export function Stock() {
  const all = items.value;
  const sorted = [...(all ?? [])].sort((a, b) => Number(b.low) - Number(a.low) || a.quantity - b.quantity);
  return (
    <section class="card stock">
      <h2>Stock</h2>
      {all === null ? (
        <p class="quiet">The stock is not known yet.</p>
      ) : all.length === 0 ? (
        <p class="quiet">
          This shop has no items. Add one: <code>orderctl inventory add book --quantity 10</code>
        </p>
      ) : (
        <ul>
          {sorted.slice(0, SHOWN).map((item) => (
            <Row key={item.item} item={item} />
          ))}
        </ul>
      )}
      {sorted.length > SHOWN ? <p class="quiet">and {grouped(sorted.length - SHOWN)} more</p> : null}
    </section>
  );
}

function Row({ item }: { item: Item }) {
  const [isOpen, open] = useState(false);
  const [said, say] = useState<{ readonly text: string; readonly isBad: boolean } | null>(null);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const answer = await adjustStock(item.item, Number(fieldIn(event, 'by')), fieldIn(event, 'why'));
    if (answer.ok) {
      const { before, after } = answer.body;
      const [was, is] = [before?.quantity ?? 0, after?.quantity ?? 0];
      say({ text: `There were ${grouped(was)}, now there are ${grouped(is)}.`, isBad: false });
      await refreshItems();
    } else say({ text: answer.detail, isBad: true });
  };
  return (
    <li class={item.low ? 'low' : ''}>
      <button
        type="button"
        class="row"
        aria-expanded={isOpen}
        onClick={() => {
          open(!isOpen);
          say(null);
        }}
      >
        <span>
          {item.item}
          {item.name === null ? null : <small> {item.name}</small>}
        </span>
        <span class="number">
          {item.low ? <Tag quantity={item.quantity} /> : null} {grouped(item.quantity)}
        </span>
      </button>
      {isOpen ? (
        <form class="adjust" onSubmit={(event) => void submit(event)}>
          <label>
            By
            <input name="by" type="number" step="1" required defaultValue="10" />
          </label>
          <label>
            Why
            <input name="why" placeholder="delivery" autocomplete="off" />
          </label>
          <button type="submit">Adjust</button>
          <p class={`said ${said?.isBad === true ? 'bad' : 'good'}`} role="status">
            {said?.text}
          </p>
          <ByHand
            cli={`orderctl inventory update ${item.item} --by +10 --why delivery`}
            call={`PATCH /inventory/${item.item}`}
            body={{ by: 10, why: 'delivery' }}
          />
          <ItemHistory item={item.item} quantity={item.quantity} />
        </form>
      ) : null}
    </li>
  );
}

/** Tills sell what is on the shelf even if the books have none, so stock may be negative until the next delivery. */
function Tag({ quantity }: Pick<Item, 'quantity'>) {
  if (quantity > 0) return <small class="tag">low</small>;
  if (quantity === 0) return <small class="tag">none left</small>;
  return (
    <small class="tag" title="A till sold more than the books had; the sale still counts">
      oversold
    </small>
  );
}
