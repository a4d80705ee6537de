import { expect, it } from 'vitest';
import { nameGiven, nameNeeded } from '../../../src/cli/named.ts';

it('a name is taken from its argument or its flag, and two that differ are refused', () => {
  expect(nameGiven('--user', 'alice', undefined)).toBe('alice');
  expect(nameGiven('--user', undefined, 'alice')).toBe('alice');
  expect(nameGiven('--user', 'alice', 'alice')).toBe('alice');
  expect(nameGiven('--user', undefined, undefined)).toBeUndefined();
  expect(() => nameGiven('--user', 'alice', 'bob')).toThrow('both alice and --user bob');
  expect(() => nameNeeded('--item', undefined, undefined)).toThrow('no item is named');
});
