import type { FactLog } from '../../../../src/domain/facts.ts';
import { message, type ProcessorName, type ValueOf } from '../../../../src/domain/messages/message.ts';
import { decideEach, type Draft, type Handled } from '../../../../src/processors/draft.ts';
import type { Processor, Received } from '../../../../src/processors/processor.ts';

const RETURN = message({
  name: 'returns',
  summary: 'goods that a customer has sent back',
  key: 'item',
  partitions: 6,
  retentionDays: 7,
  writers: ['shops'],
  readers: ['returns' as ProcessorName],
  schema: {
    type: 'record',
    name: 'Return',
    fields: [
      { name: 'return_id', type: 'string' },
      { name: 'item', type: 'string' },
      { name: 'quantity', type: 'int' },
    ],
  },
});
type Return = ValueOf<typeof RETURN.schema>;
const RETURNS: FactLog<{ return_id: string; taken: boolean }> = { name: 'returns', key: 'return_id' };

export const returns: Processor<Return, Handled> = {
  name: 'returns' as ProcessorName,
  sources: [RETURN],
  emits: [],
  keys: (received) => ({
    items: received.map(({ message: { item } }) => item),
    facts: new Map([[RETURNS, received.map(({ message: { return_id } }) => return_id)]]),
  }),
  decide: (received, state) => decideEach(received, state, takeBack),
};

function takeBack({ message }: Received<Return>, draft: Draft): Handled {
  const { return_id, item, quantity } = message;
  if (draft.facts(RETURNS, return_id).length > 0) return { kind: 'seen', about: return_id, detail: 'again' };
  const taken = quantity > 0 && draft.quantity(item) !== undefined;
  if (taken) draft.move({ item, delta: quantity, cause: 'restock', orderId: null, eventId: null });
  draft.append(RETURNS, { return_id, taken });
  return { kind: taken ? 'handled' : 'rejected', about: return_id, detail: `${quantity} of ${item}` };
}
