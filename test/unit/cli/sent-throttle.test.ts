import { expect, it } from 'vitest';
import { SentThrottle } from '../../../src/cli/output/send/throttle.ts';

it('up to 20 orders a second are listed, of a flood their number each second, and none is forgotten', () => {
  const throttle = new SentThrottle();
  expect(throttle.add(15, 0)).toEqual({ list: 15, before: 0 });
  expect(throttle.add(15, 500)).toEqual({ list: 5, before: 0 });
  // The second that follows a full one has no list.
  expect(throttle.add(200, 1_000)).toEqual({ list: 0, before: 10 });
  expect(throttle.add(3, 2_100)).toEqual({ list: 0, before: 200 });
  // It has become slow again.
  expect(throttle.add(3, 3_200)).toEqual({ list: 3, before: 3 });
  expect(throttle.unlisted).toBe(213);
});

it('a slow stream is listed whole', () => {
  const throttle = new SentThrottle();
  for (let second = 0; second < 5; second++) {
    expect(throttle.add(20, second * 1_000)).toEqual({ list: 20, before: 0 });
  }
  expect(throttle.unlisted).toBe(0);
});
