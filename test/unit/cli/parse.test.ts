import { describe, expect, it } from 'vitest';
import {
  nameOf,
  partitionList,
  resetPlace,
  resetTarget,
  seconds,
  signedNumber,
  timestamp,
  userStatus,
  wholeNumber,
} from '../../../src/cli/parse.ts';
import { Failure } from '../../../src/domain/failure.ts';

const refusal = (named: string): unknown =>
  expect.objectContaining({ message: expect.stringContaining(named) as string });

describe('whole numbers', () => {
  it.each(['1e3', '0x10', '1.5', '', 'NaN', '-1', '+1', ' 1', '1 ', '٣', '9007199254740992'])(
    'refuse %j',
    (text) => {
      expect(() => wholeNumber('--count', text)).toThrow(Failure);
      expect(() => wholeNumber('--count', text)).toThrow(refusal(`--count: ${JSON.stringify(text)}`));
    },
  );

  it('are digits', () => {
    expect(wholeNumber('--count', '0')).toBe(0);
    expect(wholeNumber('--count', '0012')).toBe(12);
    expect(wholeNumber('--count', '9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => wholeNumber('--limit', '0', { min: 1 })).toThrow(refusal('from 1 up'));
    expect(() => wholeNumber('--seed', '8', { max: 7 })).toThrow(refusal('from 0 to 7'));
  });

  it('may have a sign where they adjust', () => {
    expect(signedNumber('--by', '+20')).toBe(20);
    expect(signedNumber('--by', '-3')).toBe(-3);
    expect(signedNumber('--by', '4')).toBe(4);
    expect(Object.is(signedNumber('--by', '-0'), 0)).toBe(true);
    for (const text of ['--3', '3-', '+', '', '1.5', '1e3']) {
      expect(() => signedNumber('--by', text)).toThrow(refusal('--by'));
    }
  });
});

describe('seconds', () => {
  it('may be fractions', () => {
    expect(seconds('--delay', '0')).toBe(0);
    expect(seconds('--delay', '0.5')).toBe(500);
    expect(seconds('--delay', '1')).toBe(1000);
  });

  it.each(['', '-1', '.5', '1.', '1e3', 'NaN', 'Infinity', '5s', '99999999'])('refuse %j', (text) => {
    expect(() => seconds('--delay', text)).toThrow(refusal('--delay'));
  });
});

describe('timestamps', () => {
  it.each([
    ['2026-11-21T10:00:00Z', '2026-11-21T10:00:00.000Z'],
    ['2026-11-21T10:00:00.25Z', '2026-11-21T10:00:00.250Z'],
    ['2026-11-21T10:00Z', '2026-11-21T10:00:00.000Z'],
    ['2026-11-21T10:00:00+01:00', '2026-11-21T09:00:00.000Z'],
    ['2026-11-21T10:00:00-0530', '2026-11-21T15:30:00.000Z'],
    ['2028-02-29t00:00:00z', '2028-02-29T00:00:00.000Z'],
  ])('read %s', (text, iso) => {
    expect(new Date(timestamp('--since', text)).toISOString()).toBe(iso);
  });

  it.each(['2026-11-21T10:00:00', '2026-11-21'])('want a zone: %s', (text) => {
    expect(() => timestamp('--since', text)).toThrow(refusal('time zone'));
  });

  it.each([
    '',
    'now',
    '2026-11-21Z',
    '2026-13-01T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-01-01T24:00:01Z',
    '2026-01-01T00:60:00Z',
  ])('refuse %j', (text) => {
    expect(() => timestamp('--since', text)).toThrow(refusal('--since'));
  });
});

describe('places to reset to', () => {
  it('are words, offsets or times', () => {
    expect(resetTarget('--reset-to', 'earliest')).toBe('earliest');
    expect(resetTarget('--reset-to', 'latest')).toBe('latest');
    expect(resetTarget('--reset-to', '2026')).toEqual({ offset: 2026 });
    expect(resetTarget('--reset-to', '1970-01-01T00:00:01Z')).toEqual({ timestampMs: 1000 });
  });

  it.each(['', 'Earliest', '-5', '+5', '1h', '2026-11-21'])('refuse %j', (text) => {
    expect(() => resetTarget('--reset-to', text)).toThrow(refusal('--reset-to'));
  });
});

describe('places to reset offsets to', () => {
  const NOW = 1_000_000_000_000;

  it.each([
    ['earliest', 'earliest'],
    ['latest', 'latest'],
    ['current', 'current'],
    ['42', { offset: 42 }],
    ['+5', { by: 5 }],
    ['-5', { by: -5 }],
    ['90s', { timestampMs: NOW - 90_000 }],
    ['30m', { timestampMs: NOW - 1_800_000 }],
    ['2h', { timestampMs: NOW - 7_200_000 }],
    ['7d', { timestampMs: NOW - 604_800_000 }],
    ['999999999d', { timestampMs: 0 }],
    ['1970-01-01T00:00:01Z', { timestampMs: 1_000 }],
  ])('are %s', (text, place) => {
    expect(resetPlace('--to', text, NOW)).toEqual(place);
  });

  it.each(['', 'Current', '1.5h', '2w', '+', '--5', '1h30m', '2026-11-21', '99999999999999999999'])(
    'refuse %j',
    (text) => {
      expect(() => resetPlace('--to', text, NOW)).toThrow(refusal('--to'));
    },
  );
});

it('reads partitions, each once and in order', () => {
  expect(partitionList('--partitions', '2,0,2')).toEqual([0, 2]);
  for (const text of ['', 'a', '0,', '0 2', '-1', '0-2']) {
    expect(() => partitionList('--partitions', text)).toThrow(refusal('--partitions'));
  }
});

it('reads statuses and names', () => {
  expect(userStatus('--status', 'paid')).toBe('paid');
  expect(() => userStatus('--status', 'Paid')).toThrow(refusal('--status'));
  expect(nameOf('--user', 'alice')).toBe('alice');
  for (const text of ['=1+1', '', '-x', 'a b', 'x'.repeat(129)]) {
    expect(() => nameOf('--user', text)).toThrow(refusal('--user'));
  }
});
