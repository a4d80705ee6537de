import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { Problem } from '../../documents/http/problem.ts';
import { nullable } from '../../documents/shapes.ts';
import { Item, ItemEdit, ItemList } from '../../documents/table.ts';
import { editDocument, itemEntry } from '../../documents/write/table.ts';
import type { EditRequest } from '../../domain/edit.ts';
import { Failure } from '../../domain/failure.ts';
import type { Shop } from '../shop.ts';
import { makeEdit } from './edit.ts';

const TAGS = ['inventory'];
const Name = Type.Object({ item: Type.String() });
const Quantity = Type.Integer({ minimum: 0, description: 'on hand' });
const DETAILS = {
  name: Type.Optional(nullable(Type.String())),
  price: Type.Optional(nullable(Type.String(), 'an amount such as 12.50')),
  reorder_level: Type.Optional(nullable(Type.Integer({ minimum: 0 }))),
  why: Type.Optional(Type.String({ description: 'kept in the log of edits' })),
};
const strict = { additionalProperties: false };
const PUT = Type.Object({ quantity: Quantity, ...DETAILS }, strict);
const POST = Type.Object({ item: Type.String(), quantity: Quantity, ...DETAILS }, strict);
const PATCH = Type.Object(
  {
    quantity: Type.Optional(Quantity),
    by: Type.Optional(Type.Integer({ description: 'added to what is on hand' })),
    ...DETAILS,
  },
  { ...strict, minProperties: 1, examples: [{ by: 20, why: 'delivery' }] },
);
const RESPONSE = { 200: ItemEdit, 404: Problem, 409: Problem, 422: Problem };

interface ItemBody {
  readonly item?: string;
  readonly quantity?: number;
  readonly by?: number;
  readonly name?: string | null;
  readonly price?: string | null;
  readonly reorder_level?: number | null;
  readonly why?: string;
}

export function inventoryRoutes(server: FastifyInstance, shop: Shop): void {
  server.get(
    '/inventory',
    { schema: { tags: TAGS, summary: 'All items', response: { 200: ItemList } } },
    async () => {
      await using reader = await shop.access.read();
      return { items: [...(await reader.items())].map(itemEntry) };
    },
  );
  server.get(
    '/inventory/:item',
    { schema: { tags: TAGS, summary: 'An item', params: Name, response: { 200: Item, 404: Problem } } },
    async (request) => {
      const { item } = request.params as { item: string };
      await using reader = await shop.access.read();
      for (const row of await reader.items()) if (row.item === item) return itemEntry(row);
      throw new Failure('not_found', `item ${item} does not exist`, { fix: { kind: 'show_items' } });
    },
  );
  server.post(
    '/inventory',
    { schema: { tags: TAGS, summary: 'Add an item', body: POST, response: { ...RESPONSE, 201: ItemEdit } } },
    async (request, reply) => {
      const body = request.body as ItemBody & { item: string; quantity: number };
      const { item, quantity } = body;
      const edit = await editItem(shop, { kind: 'item.add', item, quantity, ...detailsOf(body) }, body);
      return reply
        .code(201)
        .header('location', `/inventory/${encodeURIComponent(item)}`)
        .send(edit);
    },
  );
  server.put(
    '/inventory/:item',
    {
      schema: {
        tags: TAGS,
        summary: 'Set the stock of an item',
        params: Name,
        body: PUT,
        response: RESPONSE,
      },
    },
    (request) => updateItem(shop, request.params as { item: string }, request.body as ItemBody),
  );
  server.patch(
    '/inventory/:item',
    {
      schema: { tags: TAGS, summary: 'Adjust an item', params: Name, body: PATCH, response: RESPONSE },
    },
    (request) => updateItem(shop, request.params as { item: string }, request.body as ItemBody),
  );
  server.delete(
    '/inventory/:item',
    { schema: { tags: TAGS, summary: 'Remove an item', params: Name, response: RESPONSE } },
    (request) => editItem(shop, { kind: 'item.remove', item: (request.params as { item: string }).item }, {}),
  );
}

function detailsOf({ name, price, reorder_level: reorderLevel }: ItemBody) {
  return {
    ...(name === undefined ? {} : { name }),
    ...(price === undefined ? {} : { price }),
    ...(reorderLevel === undefined ? {} : { reorderLevel }),
  };
}

function updateItem(shop: Shop, { item }: { item: string }, body: ItemBody) {
  const { quantity, by } = body;
  const change = {
    ...(quantity === undefined ? {} : { quantity }),
    ...(by === undefined ? {} : { by }),
  };
  return editItem(shop, { kind: 'item.update', item, ...change, ...detailsOf(body) }, body);
}

async function editItem(shop: Shop, request: EditRequest, { why }: ItemBody) {
  return editDocument(await makeEdit(shop, request, why));
}
