import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type, type TSchema } from 'typebox';
import { isItemChangesMark, itemChangesPage, type ItemChange } from '../../app/history/item-changes.ts';
import { ItemChanges, type ItemChange as ChangeDocument } from '../../documents/http/item-changes.ts';
import { Problem } from '../../documents/http/problem.ts';
import { ItemName, Name, Price, Quantity, Why } from '../../documents/http/request.ts';
import { nullable } from '../../documents/shapes.ts';
import { Item, ItemEdit, ItemList } from '../../documents/table.ts';
import { itemEntry } from '../../documents/write/table.ts';
import { Failure } from '../../domain/failure.ts';
import type { GivenDetails } from '../../domain/edit.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { NAMED_DETAILS, type DetailKind, type NamedDetail } from '../../domain/tables.ts';
import type { Shop } from '../shop.ts';
import { ADD_HEADERS, answerEdit, answerRow, changeSchema, NOT_MODIFIED, READ_HEADERS } from './edit.ts';
import { cursorOf, limitOf, markOf, PAGE, type PageQuery } from './pages.ts';

const TAGS = ['inventory'];
const Params = Type.Object({ item: Type.String() });
const VALUES: Readonly<Record<DetailKind, TSchema>> = {
  text: ItemName,
  price: Price,
  quantity: nullable(Quantity),
};
const DETAILS = {
  ...Object.fromEntries(NAMED_DETAILS.map(({ column, kind }) => [column, Type.Optional(VALUES[kind])])),
  why: Type.Optional(Why),
};
const strict = { additionalProperties: false };
const PUT = Type.Object({ quantity: Quantity, ...DETAILS }, strict);
const POST = Type.Object({ item: Name, quantity: Quantity, ...DETAILS }, strict);
const PATCH = Type.Object(
  {
    quantity: Type.Optional(Quantity),
    by: Type.Optional(
      Type.Integer({
        minimum: Number.MIN_SAFE_INTEGER,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'added to what is on hand, which may not go below zero; excludes quantity',
      }),
    ),
    ...DETAILS,
  },
  {
    ...strict,
    minProperties: 1,
    not: { required: ['quantity', 'by'] },
    examples: [{ by: 20, why: 'delivery' }],
  },
);
const CHANGES = {
  tags: TAGS,
  summary: 'What changed the stock of an item, the latest first',
  description:
    'Orders, sales, deliveries and edits of its quantity, each with the stock before and after. A page reads a bounded ' +
    'part of the history: if the item seldom changes, it may be short, or empty, and still have a "next".',
  params: Params,
  querystring: Type.Object(PAGE, strict),
  response: { 200: ItemChanges, 404: Problem, 422: Problem },
};
const changeOf = (summary: string) => changeSchema(TAGS, summary, Params, ItemEdit);

interface ItemBody extends Readonly<Partial<Record<NamedDetail['column'], string | number | null>>> {
  readonly item?: string;
  readonly quantity?: number;
  readonly by?: number;
  readonly why?: string;
}

export function inventoryRoutes(server: FastifyInstance, shop: Shop): void {
  server.get(
    '/inventory',
    { schema: { tags: TAGS, summary: 'All items', response: { 200: ItemList } } },
    () =>
      shop.view.lookAtRows(async (reader) => {
        return { items: Array.from(await reader.items(), (item) => itemEntry(item, shop.lowStock)) };
      }),
  );
  server.get(
    '/inventory/:item',
    {
      schema: {
        tags: TAGS,
        summary: 'An item',
        params: Params,
        headers: READ_HEADERS,
        response: { 200: Item, 304: NOT_MODIFIED, 404: Problem },
      },
    },
    async (request, reply) => {
      const { item } = request.params as { item: string };
      const row = await shop.view.lookAtRows((reader) => reader.itemNamed(item));
      if (row !== undefined) return answerRow(row, itemEntry(row, shop.lowStock), request, reply);
      throw unknownItem(item);
    },
  );
  server.get('/inventory/:item/changes', { schema: CHANGES }, async (request): Promise<ItemChanges> => {
    const { item } = request.params as { item: string };
    const query = request.query as PageQuery;
    const { changes, next } = await itemChangesPage(shop.view, item, {
      limit: limitOf(query),
      mark: markOf(query, isItemChangesMark),
    });
    if (changes.length === 0 && query.cursor === undefined) {
      const row = await shop.view.lookAtRows((reader) => reader.itemNamed(item));
      if (row === undefined && next === null) throw unknownItem(item);
    }
    return { changes: changes.map(changeDocument), next: next === null ? null : cursorOf(next) };
  });
  editRoutes(server, shop);
}

function unknownItem(item: string): Failure {
  return new Failure('not_found', `item ${item} does not exist`, { fix: { kind: 'show_items' } });
}

function changeDocument({ at, orderId, eventId, ...change }: ItemChange): ChangeDocument {
  const { cause, before, after, by, via, why } = change;
  return { at: isoTime(at), cause, before, after, order_id: orderId, event_id: eventId, by, via, why };
}

function editRoutes(server: FastifyInstance, shop: Shop): void {
  server.post(
    '/inventory',
    {
      schema: {
        tags: TAGS,
        summary: 'Add an item',
        body: POST,
        headers: ADD_HEADERS,
        response: { 201: ItemEdit, 409: Problem, 422: Problem },
      },
    },
    async (request, reply) => {
      const body = request.body as ItemBody & { item: string; quantity: number };
      const { item, quantity } = body;
      const edit = await answerEdit(
        shop,
        { kind: 'item.add', item, quantity, ...detailsOf(body) },
        body.why,
        request,
        reply,
      );
      return reply
        .code(201)
        .header('location', `/inventory/${encodeURIComponent(item)}`)
        .send(edit);
    },
  );
  server.put(
    '/inventory/:item',
    { schema: { ...changeOf('Set the stock of an item'), body: PUT } },
    (request, reply) => updateItem(shop, request, reply),
  );
  server.patch(
    '/inventory/:item',
    { schema: { ...changeOf('Adjust an item'), body: PATCH } },
    (request, reply) => updateItem(shop, request, reply),
  );
  server.delete('/inventory/:item', { schema: changeOf('Remove an item') }, (request, reply) => {
    const { item } = request.params as { item: string };
    return answerEdit(shop, { kind: 'item.remove', item }, undefined, request, reply);
  });
}

/** The request has been checked against its schema. */
function detailsOf(body: ItemBody): GivenDetails {
  return Object.fromEntries(
    NAMED_DETAILS.flatMap(({ field, column }) =>
      body[column] === undefined ? [] : [[field, body[column]] as const],
    ),
  );
}

function updateItem(shop: Shop, request: FastifyRequest, reply: FastifyReply) {
  const { item } = request.params as { item: string };
  const body = request.body as ItemBody;
  const { quantity, by, why } = body;
  const change = {
    ...(quantity === undefined ? {} : { quantity }),
    ...(by === undefined ? {} : { by }),
  };
  const edit = { kind: 'item.update' as const, item, ...change, ...detailsOf(body) };
  return answerEdit(shop, edit, why, request, reply);
}
