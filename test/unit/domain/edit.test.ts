import { describe, expect, it } from 'vitest';
import { decideEdit, type EditRequest } from '../../../src/domain/edit.ts';
import type { Failure } from '../../../src/domain/failure.ts';
import type { Item, User } from '../../../src/domain/tables.ts';
import { fixText } from '../../support/ways-out.ts';

const alice: User = { user: 'alice', status: 'paid', extra: { city: 'Ulm' } };
const pen: Item = {
  item: 'pen',
  quantity: 5,
  name: 'Pen',
  price: '1.50',
  reorderLevel: 2,
  extra: { rack: '7' },
};
const state = {
  user: (name: string) => (name === 'alice' ? alice : undefined),
  item: (name: string) => (name === 'pen' ? pen : undefined),
};

function failure(request: EditRequest): Failure {
  try {
    decideEdit(request, state);
  } catch (error) {
    return error as Failure;
  }
  throw new Error('no failure');
}

const LETTER = { id: '0:1', key: 'orders/0@7' };

describe('decideEdit', () => {
  it('adds, updates and removes users, keeping foreign columns', () => {
    expect(decideEdit({ kind: 'user.add', user: 'bob', status: 'unpaid' }, state)).toEqual({
      kind: 'user',
      user: 'bob',
      before: null,
      after: { user: 'bob', status: 'unpaid', extra: {} },
    });
    expect(decideEdit({ kind: 'user.update', user: 'alice', status: 'unpaid' }, state)).toMatchObject({
      before: alice,
      after: { ...alice, status: 'unpaid' },
    });
    expect(decideEdit({ kind: 'user.remove', user: 'alice' }, state)).toMatchObject({
      before: alice,
      after: null,
    });
  });

  it('sets or adjusts stock and leaves the other columns alone', () => {
    expect(decideEdit({ kind: 'item.update', item: 'pen', quantity: 100 }, state)).toMatchObject({
      after: { ...pen, quantity: 100 },
    });
    expect(decideEdit({ kind: 'item.update', item: 'pen', by: -5 }, state)).toMatchObject({
      after: { ...pen, quantity: 0 },
    });
    expect(decideEdit({ kind: 'item.update', item: 'pen', price: '2' }, state)).toMatchObject({
      after: { ...pen, price: '2.00' },
    });
    expect(
      decideEdit({ kind: 'item.add', item: 'book', quantity: 1, price: '012.5', reorderLevel: 3 }, state),
    ).toMatchObject({ before: null, after: { quantity: 1, price: '12.50', reorderLevel: 3, name: null } });
  });

  it.each(['', null])('unsets a detail that is set to %j', (unset) => {
    const bare = { ...pen, name: null, price: null, reorderLevel: null };
    const update = { kind: 'item.update', item: 'pen', name: unset, price: unset } as const;
    expect(decideEdit({ ...update, reorderLevel: null }, state)).toMatchObject({ after: bare });
    expect(
      decideEdit({ kind: 'item.add', item: 'x', quantity: 1, name: unset, price: unset }, state),
    ).toMatchObject({ after: { name: null, price: null, reorderLevel: null } });
  });

  it.each<[string, EditRequest]>([
    ['already_exists', { kind: 'user.add', user: 'alice', status: 'paid' }],
    ['already_exists', { kind: 'item.add', item: 'pen', quantity: 1 }],
    ['not_found', { kind: 'user.update', user: 'bob', status: 'paid' }],
    ['not_found', { kind: 'user.remove', user: 'bob' }],
    ['not_found', { kind: 'item.update', item: 'book', quantity: 1 }],
    ['not_found', { kind: 'item.remove', item: 'book' }],
    ['invalid_value', { kind: 'user.add', user: '=1+1', status: 'paid' }],
    ['invalid_value', { kind: 'user.add', user: '', status: 'paid' }],
    ['invalid_value', { kind: 'item.add', item: 'a b', quantity: 1 }],
    ['invalid_value', { kind: 'item.add', item: 'x'.repeat(129), quantity: 1 }],
    ['invalid_value', { kind: 'item.add', item: 'x', quantity: -1 }],
    ['invalid_value', { kind: 'item.add', item: 'x', quantity: 1.5 }],
    ['invalid_value', { kind: 'item.add', item: 'x', quantity: 2 ** 53 }],
    ['invalid_value', { kind: 'item.add', item: 'x', quantity: 1, price: '1.234' }],
    ['invalid_value', { kind: 'item.add', item: 'x', quantity: 1, price: '-1' }],
    ['invalid_value', { kind: 'item.add', item: 'x', quantity: 1, name: '=SUM(A1)' }],
    ['invalid_value', { kind: 'item.add', item: 'x', quantity: 1, name: 'two\nlines' }],
    ['invalid_value', { kind: 'item.add', item: 'x', quantity: 1, reorderLevel: -1 }],
    ['invalid_value', { kind: 'item.update', item: 'pen', by: -6 }],
    ['invalid_value', { kind: 'item.update', item: 'pen', by: 2 ** 53 }],
    ['invalid_value', { kind: 'item.update', item: 'pen', by: 1, quantity: 1 }],
    ['invalid_value', { kind: 'dead_letter.mark', topic: 't', action: 'redriven', why: 'r', letters: [] }],
    [
      'invalid_value',
      { kind: 'dead_letter.mark', topic: 't', action: 'discarded', why: ' ', letters: [LETTER] },
    ],
  ])('refuses with %s: %j', (code, request) => {
    expect(failure(request).code).toBe(code);
    expect(failure(request).message.length).toBeGreaterThan(10);
  });

  it.each<[EditRequest, string]>([
    [{ kind: 'user.add', user: 'alice', status: 'unpaid' }, 'user update --user alice --status unpaid'],
    [{ kind: 'user.update', user: 'bob', status: 'unpaid' }, 'user add --user bob --status unpaid'],
    [{ kind: 'user.remove', user: 'bob' }, 'orderctl user show'],
    [{ kind: 'item.add', item: 'pen', quantity: 10 }, 'inventory update --item pen --by +10'],
    [{ kind: 'item.update', item: 'book', quantity: 7 }, 'inventory add --item book --quantity 7'],
    [{ kind: 'item.remove', item: 'book' }, 'orderctl inventory show'],
  ])('names the way out that does what was meant, and overwrites nothing: %j', (request, fix) => {
    expect(fixText(failure(request))).toContain(fix);
  });

  it('shows the users where one has that status already', () => {
    expect(failure({ kind: 'user.add', user: 'alice', status: 'paid' }).fix).toEqual({ kind: 'show_users' });
  });
});
