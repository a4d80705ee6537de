import { expect, it } from 'vitest';
import { outlived } from '../../../src/dev-broker/log/retention.ts';

const NOW = 1_000_000;
const segment = (sizeBytes: number, ageMs: number | null) => ({
  sizeBytes,
  maxTimestamp: ageMs === null ? -1 : NOW - ageMs,
});
const byTime = { deletes: true, retentionMs: 100, retentionBytes: -1 };

it('counts from the oldest segments that are too old, up to the first that is not', () => {
  const segments = [segment(10, 300), segment(10, 101), segment(10, 100), segment(10, 400)];
  expect(outlived(segments, byTime, NOW)).toBe(2);
  expect(outlived(segments, { ...byTime, retentionMs: -1 }, NOW)).toBe(0);
  expect(outlived(segments, { ...byTime, deletes: false }, NOW)).toBe(0);
});

it('passes over empty segments, and keeps those without timestamps', () => {
  expect(outlived([segment(0, null), segment(10, 300), segment(10, 5)], byTime, NOW)).toBe(2);
  expect(outlived([segment(10, null), segment(10, 300)], byTime, NOW)).toBe(0);
});

it('counts by size what is followed by as much as the limit', () => {
  const bySize = { deletes: true, retentionMs: -1, retentionBytes: 20 };
  const segments = [segment(10, 1), segment(10, 1), segment(10, 1)];
  expect(outlived(segments, bySize, NOW)).toBe(1);
  expect(outlived(segments, { ...bySize, retentionBytes: 21 }, NOW)).toBe(0);
});
