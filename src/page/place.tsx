import { useState } from 'preact/hooks';
import { placeOrder } from './api.ts';
import { items, notePlaced } from './state.ts';
import { fieldOf } from './text.ts';

/** A form to place an order. */
export function Place() {
  const [said, say] = useState<{ readonly text: string; readonly look: string } | null>(null);
  const known = items.value ?? [];
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    // An id of our own, so that it counts once however often it has to be sent.
    const orderId = `WEB-${crypto.randomUUID()}`;
    notePlaced(orderId, 'sent');
    say({ text: 'sending …', look: '' });
    const answer = await placeOrder({
      order_id: orderId,
      user: fieldOf(form, 'user'),
      item: fieldOf(form, 'item'),
      quantity: Number(fieldOf(form, 'quantity')),
    });
    if (!answer.ok) {
      notePlaced(orderId, 'refused');
      say({ text: [answer.detail, answer.fix ?? ''].join(' · ').replace(/ · $/, ''), look: 'bad' });
      return;
    }
    const { body } = answer;
    notePlaced(orderId, body.status === 'PENDING' ? 'answered' : 'decided');
    if (body.status === 'PENDING')
      say({ text: 'taken; it is decided when a processor reads it', look: 'quiet' });
    else if (body.status === 'COMPLETED') say({ text: 'completed', look: 'good' });
    else say({ text: `rejected: ${('detail' in body ? body.detail : null) ?? ''}`, look: 'bad' });
  };
  return (
    <form class="card place" onSubmit={(event) => void submit(event)}>
      <h2>Place an order</h2>
      <label>
        User
        <input name="user" required value="alice" autocomplete="off" />
      </label>
      <label>
        Item
        <input name="item" required list="items" value={known[0]?.item ?? ''} autocomplete="off" />
      </label>
      <datalist id="items">
        {known.slice(0, 200).map(({ item, name }) => (
          <option key={item} value={item}>
            {name ?? item}
          </option>
        ))}
      </datalist>
      <label>
        Quantity
        <input name="quantity" type="number" required min="1" step="1" value="1" />
      </label>
      <button type="submit">Order</button>
      <p class={`said ${said?.look ?? ''}`} role="status">
        {said?.text ?? ''}
      </p>
    </form>
  );
}
