import { expect, test } from 'vitest';

import { runSchedule, type ScheduleResult } from '../../support/model-cluster/schedule.ts';

/*
 * The consumer of the kafka adapter on a model of a cluster, through random schedules. More of them, from another
 * seed: ORDERCTL_TEST_SEED=1000 ORDERCTL_TEST_SCHEDULES=500 npx vitest run schedules
 */

const FIRST_SEED = Number(process.env.ORDERCTL_TEST_SEED ?? 1);
const SCHEDULES = Number(process.env.ORDERCTL_TEST_SCHEDULES ?? 24);
/** They wait for most of their time. */
const AT_ONCE = 12;
/** Much longer than any batch takes, on a machine that does much else. */
const LONGEST_TURN_MS = 5_000;

test(
  'nothing is delivered out of place, skipped or lost in silence, whatever the cluster does',
  async () => {
    let firedAt = performance.now();
    let longestMs = 0;
    const pulse = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - firedAt);
      firedAt = performance.now();
    }, 20);
    const results: ScheduleResult[] = [];
    const seeds = Array.from({ length: SCHEDULES }, (_, index) => FIRST_SEED + index);
    const work = async (): Promise<void> => {
      for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift())
        results.push(await runSchedule(seed));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    clearInterval(pulse);
    expect(longestMs).toBeLessThan(LONGEST_TURN_MS);
    const sum = (of: (result: ScheduleResult) => number): number =>
      results.reduce((total, result) => total + of(result), 0);
    expect(results).toHaveLength(SCHEDULES);
    // That the schedules are what they are meant to be.
    expect(sum(({ records }) => records)).toBeGreaterThan(SCHEDULES * 100);
    expect(sum(({ seeks }) => seeks)).toBeGreaterThan(SCHEDULES / 2);
    expect(sum(({ joins }) => joins)).toBeGreaterThan(SCHEDULES / 2);
    const stopped = results.filter(({ endedBy }) => endedBy === 'stop').length;
    // Of fewer, all may end alike by chance.
    if (SCHEDULES >= 100) expect([stopped, SCHEDULES - stopped].every((count) => count > 0)).toBe(true);
  },
  120_000 + SCHEDULES * 5_000,
);
