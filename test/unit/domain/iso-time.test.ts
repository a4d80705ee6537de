import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIsoTime } from '../../../src/domain/iso-time.ts';

describe('a time by ISO 8601', () => {
  it.each([
    ['2026-08-20T05:45:04', '2026-08-20T05:45:04.000Z', false],
    ['2026-08-20 05:45:04', '2026-08-20T05:45:04.000Z', false],
    ['2026-08-20', '2026-08-20T00:00:00.000Z', false],
    ['2026-08-20T05:45', '2026-08-20T05:45:00.000Z', false],
    ['2026-08-20T05:45:04Z', '2026-08-20T05:45:04.000Z', true],
    ['2026-08-20T05:45:04.123456789+02:00', '2026-08-20T03:45:04.123Z', true],
    ['2026-08-20T05:45:04,5-0330', '2026-08-20T09:15:04.500Z', true],
    ['2026-08-20T05:45:04+02', '2026-08-20T03:45:04.000Z', true],
    ['2026-12-31T24:00:00Z', '2027-01-01T00:00:00.000Z', true],
    ['2028-02-29t00:00:00z', '2028-02-29T00:00:00.000Z', true],
    ['0050-01-01T00:00:00Z', '0050-01-01T00:00:00.000Z', true],
    ['1969-12-31T23:59:59.999Z', '1969-12-31T23:59:59.999Z', true],
  ])('%s is %s', (text, iso, hasZone) => {
    expect(parseIsoTime(text)).toEqual({ ms: Date.parse(iso), hasZone });
  });

  it.each([
    '2026-02-30',
    '2026-02-29T00:00:00Z',
    '2026-13-01',
    '2026-00-10',
    '2026-01-00',
    '2026-04-31T00:00:00',
    '2026-01-01T24:00:01',
    '2026-01-01T24:00:00.001Z',
    '2026-01-01T25:00:00',
    '2026-01-01T00:60:00',
    '2026-01-01T00:00:60Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00+01:60',
  ])('%s is none that exists', (text) => {
    expect(parseIsoTime(text)).toBe('unreal');
  });

  it.each([
    '',
    'now',
    '2026-1-1',
    '2026-01-01Z',
    '20260101T000000Z',
    '2026-01-01T00',
    '2026-01-01T00:00:00.Z',
    '+012026-01-01T00:00:00Z',
    '2026-01-01T00:00:00Z ',
    '2026-01-01T00:00:00 GMT',
  ])('%j is none', (text) => {
    expect(parseIsoTime(text)).toBe('unreadable');
  });

  it('is every date that JavaScript writes, with a zone and without', () => {
    const min = Date.parse('0000-01-01T00:00:00Z');
    const max = Date.parse('9999-12-31T23:59:59.999Z');
    fc.assert(
      fc.property(fc.integer({ min, max }), (ms) => {
        const text = new Date(ms).toISOString();
        expect(parseIsoTime(text)).toEqual({ ms, hasZone: true });
        expect(parseIsoTime(text.slice(0, -1))).toEqual({ ms, hasZone: false });
      }),
    );
  });
});
