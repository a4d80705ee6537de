import { expect, it } from 'vitest';
import { newEffect } from '../../../src/domain/effects.ts';
import { Draft } from '../../../src/processors/draft.ts';
import { PlainState } from '../../support/plain-state.ts';

const mail = (dueAt: number) => newEffect({ id: 'a', kind: 'mail', key: 'k', fields: {} }, dueAt);

it('refuses a new effect of an id that the same batch owes', () => {
  const draft = new Draft(new PlainState());
  draft.change(mail(1));
  expect(() => draft.change(mail(2))).toThrow('effect a is already pending');
  expect(draft.changes().effects).toEqual([mail(1)]);
});

it('leaves one that it changes new, so that a store still refuses it where one of that id is owed', () => {
  const state = new PlainState();
  state.apply({ effects: [mail(1)] });
  const draft = new Draft(state);
  draft.change(mail(2));
  draft.change({ id: 'a', effect: mail(3).effect });
  expect(() => state.apply(draft.changes())).toThrow('effect a is already pending');
});

it('takes one back and owes it again', () => {
  const state = new PlainState();
  state.apply({ effects: [mail(1)] });
  const draft = new Draft(state);
  draft.change({ id: 'a', effect: null });
  draft.change(mail(2));
  state.apply(draft.changes());
  expect(state.effect('a')).toEqual(mail(2).effect);
});
