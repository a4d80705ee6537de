import { useState } from 'preact/hooks';
import { placeOrder, type AnyOrder } from '../data/api.ts';
import { experiments, isFinal, items, notePlaced, orders, refreshOrder, users } from '../data/state.ts';
import { fieldIn, sleep } from '../text.ts';

const AGAIN_MS = 1_000;

/** A form to place an order. */
export function Place() {
  const [said, say] = useState<Said | null>(null);
  /** The id of the last order that was accepted by the server. */
  const [taken, follow] = useState<string | null>(null);
  const shown = said ?? fateOf(orders.value?.find(({ order_id }) => order_id === taken));
  const [flow, setFlow] = useState<'direct' | 'checkout'>('direct');
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    // An id chosen here, so that the order counts once however often it is sent.
    const orderId = `WEB-${crypto.randomUUID()}`;
    const address = fieldIn(event, 'address');
    notePlaced(orderId, 'sent');
    say({ text: 'sending …', look: '' });
    const order = {
      order_id: orderId,
      user: fieldIn(event, 'user'),
      item: fieldIn(event, 'item'),
      quantity: Number(fieldIn(event, 'quantity')),
      ...(flow === 'checkout' ? { shipping_address: address } : {}),
    };
    let answer = await placeOrder(flow, order);
    // It may have arrived; with the same id it counts once, however often it is sent.
    while (!answer.ok && (answer.status === 0 || answer.status === 503)) {
      say({ text: `${answer.detail}; it is sent again under the same id …`, look: 'moving' });
      await sleep(AGAIN_MS);
      answer = await placeOrder(flow, order);
    }
    if (!answer.ok) {
      notePlaced(orderId, 'refused');
      say({ text: [answer.detail, answer.fix ?? ''].join(' · ').replace(/ · $/, ''), look: 'bad' });
      return;
    }
    notePlaced(orderId, isFinal(answer.body) ? 'decided' : 'answered');
    follow(orderId);
    say(null);
    await refreshOrder(orderId);
  };
  // The outcome of the last order is not that of the one being typed.
  const clear = (): void => {
    if (shown?.look !== 'good' && shown?.look !== 'bad') return;
    say(null);
    follow(null);
  };
  return (
    <form class="card place" onInput={clear} onSubmit={(event) => void submit(event)}>
      <h2>Place an order</h2>
      <Fields />
      <label class="wide">
        Way
        <select
          name="flow"
          value={flow}
          onChange={({ currentTarget }) =>
            setFlow(currentTarget.value === 'checkout' ? 'checkout' : 'direct')
          }
        >
          <option value="direct">direct: decided at once</option>
          <option value="checkout">checkout: paid, reserved, shipped</option>
        </select>
      </label>
      {flow === 'checkout' ? <Checkout /> : null}
      <button type="submit">Order</button>
      <p class={`said ${shown?.look ?? ''}`} role="status">
        {shown?.text ?? ''}
      </p>
    </form>
  );
}

function Checkout() {
  return (
    <>
      <label class="wide">
        Shipping address
        <input name="address" required defaultValue="Sample Street 1, 12345 Sampleton" autocomplete="off" />
      </label>
      {experiments.value?.available === true ? (
        <p class="quiet wide">
          The gateway of <code>orderctl up</code>, unless another is set, moves no money and declines
          customers named <code>decline-…</code>; whether a user is paid counts for direct orders only.
        </p>
      ) : null}
    </>
  );
}

interface Said {
  readonly text: string;
  readonly look: string;
}

/** The outcome of an order that the server accepted. */
function fateOf(order: AnyOrder | undefined): Said | null {
  if (order === undefined) return null;
  const { status, detail } = order;
  if (status === 'COMPLETED') return { text: 'completed', look: 'good' };
  if (isFinal(order)) return { text: `${status.toLowerCase()}: ${detail ?? ''}`, look: 'bad' };
  if (status === 'PENDING')
    return { text: 'received; it is decided when a processor reads it', look: 'quiet' };
  return { text: `${status.toLowerCase()} …`, look: 'moving' };
}

/** Only the initial values depend on users and items, so that typed text stays when those change. */
function Fields() {
  const known = items.value ?? [];
  return (
    <>
      <label>
        User
        <input
          name="user"
          required
          list="users"
          defaultValue={users.value[0]?.user ?? ''}
          autocomplete="off"
        />
      </label>
      <datalist id="users">
        {users.value.slice(0, 200).map(({ user, status }) => (
          <option key={user} value={user}>
            {status}
          </option>
        ))}
      </datalist>
      <label>
        Item
        <input name="item" required list="items" defaultValue={known[0]?.item ?? ''} autocomplete="off" />
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
        <input name="quantity" type="number" required min="1" step="1" defaultValue="1" />
      </label>
    </>
  );
}
