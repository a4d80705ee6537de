import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { Problem } from '../../documents/http/problem.ts';
import { Name, Why } from '../../documents/http/request.ts';
import { User, UserEdit, UserList } from '../../documents/table.ts';
import { userEntry } from '../../documents/write/table.ts';
import { Failure } from '../../domain/failure.ts';
import { USER_STATUSES, type UserStatus } from '../../domain/tables.ts';
import type { Shop } from '../shop.ts';
import { ADD_HEADERS, answerEdit, answerRow, changeSchema, NOT_MODIFIED, READ_HEADERS } from './edit.ts';

const TAGS = ['users'];
const Params = Type.Object({ user: Type.String() });
const FIELDS = {
  status: Type.Enum(USER_STATUSES),
  why: Type.Optional(Why),
};
const strict = { additionalProperties: false };
const changeOf = (summary: string) => changeSchema(TAGS, summary, Params, UserEdit);

interface UserBody {
  readonly user: string;
  readonly status: UserStatus;
  readonly why?: string;
}

export function userRoutes(server: FastifyInstance, shop: Shop): void {
  server.get('/users', { schema: { tags: TAGS, summary: 'All users', response: { 200: UserList } } }, () =>
    shop.view.lookAtRows(async (reader) => {
      return { users: [...(await reader.users())].map(userEntry) };
    }),
  );
  server.get(
    '/users/:user',
    {
      schema: {
        tags: TAGS,
        summary: 'A user',
        params: Params,
        headers: READ_HEADERS,
        response: { 200: User, 304: NOT_MODIFIED, 404: Problem },
      },
    },
    async (request, reply) => {
      const { user } = request.params as { user: string };
      const row = await shop.view.lookAtRows((reader) => reader.userNamed(user));
      if (row !== undefined) return answerRow(row, userEntry(row), request, reply);
      throw new Failure('not_found', `user ${user} does not exist`, { fix: { kind: 'show_users' } });
    },
  );
  editRoutes(server, shop);
}

function editRoutes(server: FastifyInstance, shop: Shop): void {
  server.post(
    '/users',
    {
      schema: {
        tags: TAGS,
        summary: 'Add a user',
        body: Type.Object({ user: Name, ...FIELDS }, strict),
        headers: ADD_HEADERS,
        response: { 201: UserEdit, 409: Problem, 422: Problem },
      },
    },
    async (request, reply) => {
      const { user, status, why } = request.body as UserBody;
      const edit = await answerEdit(shop, { kind: 'user.add', user, status }, why, request, reply);
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
      schema: { ...changeOf('Change a user'), body: Type.Object(FIELDS, strict) },
      handler: (request, reply) => {
        const { user } = request.params as { user: string };
        const { status, why } = request.body as UserBody;
        return answerEdit(shop, { kind: 'user.update', user, status }, why, request, reply);
      },
    });
  }
  server.delete('/users/:user', { schema: changeOf('Remove a user') }, (request, reply) => {
    const { user } = request.params as { user: string };
    return answerEdit(shop, { kind: 'user.remove', user }, undefined, request, reply);
  });
}
