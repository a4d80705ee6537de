import { describe, expect, it } from 'vitest';
import {
  delay,
  nameOf,
  partitionList,
  resetPlace,
  signedNumber,
  type TimeFlags,
  timeRange,
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

describe('delays', () => {
  it('may be fractions', () => {
    expect(delay('--delay', '0')).toBe(0);
    expect(delay('--delay', '0.5')).toBe(500);
    expect(delay('--delay', '1')).toBe(1000);
    expect(delay('--delay', '100ms')).toBe(100);
    expect(delay('--delay', '2s')).toBe(2_000);
    expect(delay('--delay', '1.5m')).toBe(90_000);
  });

  it.each(['', '-1', '.5', '1.', '1e3', 'NaN', 'Infinity', '5h', '5 s', '99999999', '33334m'])(
    'refuse %j',
    (text) => {
      expect(() => delay('--delay', text)).toThrow(refusal('--delay'));
    },
  );
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

describe('ranges of time', () => {
  const NOW = Date.parse('2026-11-28T12:00:00Z');
  const range = (flags: TimeFlags): (string | null)[] => {
    const { sinceMs, untilMs } = timeRange(flags, NOW);
    return [sinceMs, untilMs].map((ms) => (ms === null ? null : new Date(ms).toISOString()));
  };

  it('are times, times ago and dates', () => {
    expect(range({})).toEqual([null, null]);
    expect(range({ since: '1h', until: '30m' })).toEqual([
      '2026-11-28T11:00:00.000Z',
      '2026-11-28T11:30:00.000Z',
    ]);
    expect(range({ since: '2026-11-21T10:00:00+01:00' })[0]).toBe('2026-11-21T09:00:00.000Z');
    const day = { since: '2026-11-27', until: '2026-11-28' };
    expect(range({ ...day, timeZone: 'UTC' })).toEqual([
      '2026-11-27T00:00:00.000Z',
      '2026-11-28T00:00:00.000Z',
    ]);
    expect(range({ ...day, timeZone: 'Asia/Tokyo' })[0]).toBe('2026-11-26T15:00:00.000Z');
    const named = { since: 'yesterday', until: 'today' };
    expect(range({ ...named, timeZone: 'UTC' })).toEqual(range({ ...day, timeZone: 'UTC' }));
    // At noon in UTC it is the 29th already in Auckland.
    expect(range({ ...named, timeZone: 'Pacific/Auckland' })[1]).toBe('2026-11-28T11:00:00.000Z');
    expect(() => range({ since: 'lately' })).toThrow(refusal('"lately" is not a time'));
  });

  it.each([
    // The clock is put forward, or back, on that day or at its midnight.
    // Midnight is not there, there twice, or followed by 23 o'clock of the day before.
    ['America/Santiago', '2025-09-07', '2025-09-07T04:00:00.000Z'],
    ['America/Havana', '2026-03-08', '2026-03-08T05:00:00.000Z'],
    ['Atlantic/Azores', '2026-03-29', '2026-03-29T01:00:00.000Z'],
    ['Atlantic/Azores', '2026-10-25', '2026-10-25T00:00:00.000Z'],
    ['America/Havana', '2026-11-01', '2026-11-01T04:00:00.000Z'],
    ['America/Santiago', '2026-04-05', '2026-04-05T04:00:00.000Z'],
    ['Africa/Cairo', '2026-04-24', '2026-04-23T22:00:00.000Z'],
    ['Asia/Kathmandu', '2026-04-24', '2026-04-23T18:15:00.000Z'],
    ['Pacific/Kiritimati', '2026-04-24', '2026-04-23T10:00:00.000Z'],
    ['Europe/Berlin', '2026-03-29', '2026-03-28T23:00:00.000Z'],
    ['Europe/Berlin', '2026-03-30', '2026-03-29T22:00:00.000Z'],
    ['Europe/Berlin', '2026-10-25', '2026-10-24T22:00:00.000Z'],
    ['Europe/Berlin', '2026-10-26', '2026-10-25T23:00:00.000Z'],
    ['America/New_York', '2026-03-08', '2026-03-08T05:00:00.000Z'],
    ['America/New_York', '2026-03-09', '2026-03-09T04:00:00.000Z'],
    ['Pacific/Auckland', '2026-09-27', '2026-09-26T12:00:00.000Z'],
    ['Asia/Kolkata', '2026-07-01', '2026-06-30T18:30:00.000Z'],
  ])('begin at midnight in %s: %s', (timeZone, since, iso) => {
    expect(range({ since, timeZone })[0]).toBe(iso);
  });

  it('of a date without a zone begin at midnight here', () => {
    expect(range({ since: '2026-11-27' })[0]).toBe(new Date(2026, 10, 27).toISOString());
  });

  it.each([
    [{ since: '2026-02-30' }, '--since'],
    [{ until: '1 hour' }, '--until'],
    [{ since: '2026-11-27', timeZone: 'Mars/Olympus' }, '--time-zone'],
    [{ since: '1h', until: '2h' }, '--until'],
  ])('refuse %j', (flags, flag) => {
    expect(() => range(flags)).toThrow(refusal(flag));
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
