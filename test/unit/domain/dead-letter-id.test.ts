import { describe, expect, it } from 'vitest';
import { isFailure } from '../../../src/domain/failure.ts';
import { formatDeadLetterId, parseDeadLetterId } from '../../../src/domain/topics/dead-letter-id.ts';
import { fixText } from '../../support/ways-out.ts';

describe('the id of a dead letter', () => {
  it.each([
    '0:17',
    '5:0',
    '2147483647:8999999999999999',
    'kept:orders/3@17',
    'kept:a.b-c_d/0@0',
    'kept:orders/3@17~0a1b2c3d',
  ])('%s', (text) => {
    expect(formatDeadLetterId(parseDeadLetterId(text))).toBe(text);
  });

  it.each([
    '',
    '17',
    '0:',
    ':1',
    '-1:2',
    '0:1.5',
    '0:9000000000000000',
    '0:17 ',
    'kept:',
    'kept:orders',
    'kept:orders/3@17~0a1b',
    'kept:a b/0@1',
  ])('refuses %j', (text) => {
    expect(() => parseDeadLetterId(text)).toThrow(expect.objectContaining({ code: 'invalid_value' }));
    try {
      parseDeadLetterId(text);
    } catch (error) {
      expect(isFailure(error) && fixText(error)).toContain('dlq list');
    }
  });
});
