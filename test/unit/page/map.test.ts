import { describe, expect, test } from 'vitest';
import type { Overview } from '../../../src/documents/http/overview.ts';
import type { ProcessorList } from '../../../src/documents/http/processors.ts';
import { isApart, processorsOf } from '../../../src/page/flow/map.ts';

type Consumer = NonNullable<Overview['consumer']>;
type Instance = NonNullable<Consumer['instances']>[number];

const running = (processor: string): Consumer['processors'][number] => ({
  processor,
  group: 'g',
  topics: [],
  partitions: [],
  records_per_second: 1,
  lag: 0,
  last_commit_at: null,
  read: 0,
  dead_lettered: 0,
  outcomes: {},
});
const resting = (processor: string, lag: number | null): ProcessorList['processors'][number] => ({
  processor,
  group: 'g',
  topics: [],
  partitions: null,
  state: 'stopped',
  lag,
  records_per_second: null,
  last_commit_at: null,
  read: null,
  dead_lettered: null,
  outcomes: null,
  effects: { owed: 0, trying: 0, parked: 0, next_due_at: null },
});
const consumer = (names: readonly string[], instances: readonly Instance[] | null): Consumer => ({
  pid: 1,
  state: 'consuming',
  waiting_for: null,
  lag: 0,
  processors: names.map(running),
  instances: instances === null ? null : [...instances],
});
const instance = (pid: number, state: Instance['state'], ...processors: string[]): Instance => {
  return { pid, host: 'h', state, processors };
};
const listed = [resting('orders', 4), resting('payment', 0), resting('stock', 7)];
const statesOf = (all: ReturnType<typeof processorsOf>) =>
  Object.fromEntries(all.map(({ name, state, pids }) => [name, `${state} ${pids.join()}`.trim()]));

describe('the processors on the map', () => {
  test('in one process are those that run, and those for which something waits', () => {
    const all = processorsOf({ consumer: consumer(['orders'], null), parts: null }, listed, true);
    expect(statesOf(all)).toEqual({ orders: 'working 1', stock: 'gone' });
    expect(isApart(all, null)).toBe(false);
  });

  test('in processes of their own each has its state, also one that has just been killed', () => {
    const split = consumer(['orders'], [instance(1, 'waiting', 'orders'), instance(2, 'silent')]);
    const parts = [{ name: 'payment', pid: null, problem: 'was ended by SIGKILL' }];
    const all = processorsOf({ consumer: split, parts }, listed, true);
    expect(statesOf(all)).toEqual({ orders: 'waiting 1', payment: 'gone', stock: 'gone' });
    expect(isApart(all, parts)).toBe(true);
  });

  test('on several machines one works as long as one of its processes does', () => {
    const both = [instance(1, 'waiting', 'orders', 'stock'), instance(2, 'consuming', 'orders', 'stock')];
    const all = processorsOf({ consumer: consumer(['orders', 'stock'], both), parts: null }, listed, true);
    expect(statesOf(all)).toEqual({ orders: 'working 1,2', stock: 'working 1,2' });
    expect(isApart(all, null)).toBe(false);
  });

  test('are all there where none runs, and not known where the server does not answer', () => {
    const states = (isKnown: boolean) =>
      statesOf(processorsOf({ consumer: null, parts: null }, listed, isKnown));
    expect(states(true)).toEqual({ orders: 'gone', payment: 'gone', stock: 'gone' });
    expect(states(false)).toEqual({ orders: 'unknown', payment: 'unknown', stock: 'unknown' });
  });
});
