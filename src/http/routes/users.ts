import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { Problem } from '../../documents/http/problem.ts';
import { User, UserEdit, UserList } from '../../documents/table.ts';
import { editDocument, userEntry } from '../../documents/write/table.ts';
import type { EditRequest } from '../../domain/edit.ts';
import { Failure } from '../../domain/failure.ts';
import { USER_STATUSES, type UserStatus } from '../../domain/tables.ts';
import type { Shop } from '../shop.ts';
import { makeEdit } from './edit.ts';

const TAGS = ['users'];
const Name = Type.Object({ user: Type.String() });
const FIELDS = {
  status: Type.Enum(USER_STATUSES),
  why: Type.Optional(Type.String({ description: 'kept in the log of edits' })),
};
const strict = { additionalProperties: false };
const RESPONSE = { 200: UserEdit, 404: Problem, 409: Problem, 422: Problem };

interface UserBody {
  readonly user: string;
  readonly status: UserStatus;
  readonly why?: string;
}

export function userRoutes(server: FastifyInstance, shop: Shop): void {
  server.get(
    '/users',
    { schema: { tags: TAGS, summary: 'All users', response: { 200: UserList } } },
    async () => {
      await using reader = await shop.access.read();
      return { users: [...(await reader.users())].map(userEntry) };
    },
  );
  server.get(
    '/users/:user',
    { schema: { tags: TAGS, summary: 'A user', params: Name, response: { 200: User, 404: Problem } } },
    async (request) => {
      const { user } = request.params as { user: string };
      await using reader = await shop.access.read();
      for (const row of await reader.users()) if (row.user === user) return userEntry(row);
      throw new Failure('not_found', `user ${user} does not exist`, { fix: { kind: 'show_users' } });
    },
  );
  server.post(
    '/users',
    {
      schema: {
        tags: TAGS,
        summary: 'Add a user',
        body: Type.Object({ user: Type.String(), ...FIELDS }, strict),
        response: { ...RESPONSE, 201: UserEdit },
      },
    },
    async (request, reply) => {
      const { user, status, why } = request.body as UserBody;
      const edit = await editUser(shop, { kind: 'user.add', user, status }, why);
      return reply
        .code(201)
        .header('location', `/users/${encodeURIComponent(user)}`)
        .send(edit);
    },
  );
  for (const method of ['PUT', 'PATCH'] as const) {
    server.route({
      method,
      url: '/users/:user',
      schema: {
        tags: TAGS,
        summary: 'Change a user',
        params: Name,
        body: Type.Object(FIELDS, strict),
        response: RESPONSE,
      },
      handler: (request) => {
        const { user } = request.params as { user: string };
        const { status, why } = request.body as UserBody;
        return editUser(shop, { kind: 'user.update', user, status }, why);
      },
    });
  }
  server.delete(
    '/users/:user',
    { schema: { tags: TAGS, summary: 'Remove a user', params: Name, response: RESPONSE } },
    (request) =>
      editUser(shop, { kind: 'user.remove', user: (request.params as { user: string }).user }, undefined),
  );
}

async function editUser(shop: Shop, request: EditRequest, why: string | undefined) {
  return editDocument(await makeEdit(shop, request, why));
}
