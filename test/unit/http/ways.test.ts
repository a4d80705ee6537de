import { expect, it } from 'vitest';
import { callFor } from '../../../src/http/ways.ts';

it('a way out is a call where a client can make one, and else is left to the command line', () => {
  expect(callFor({ kind: 'add_user', user: 'bob', status: 'paid' })).toBe(
    'add it: POST /users {"user":"bob","status":"paid"}',
  );
  expect(callFor({ kind: 'add_stock', item: 'a/b', quantity: 3 })).toBe(
    'to put more on hand: PATCH /inventory/a%2Fb {"by":3}',
  );
  expect(callFor('wait for it')).toBeNull();
  expect(callFor({ kind: 'check_database' })).toBeNull();
});
