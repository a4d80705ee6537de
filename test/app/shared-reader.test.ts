import { expect, it } from 'vitest';
import { SharedReader } from '../../src/app/intake/shared-reader.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';

it('those who ask at once share a view, which is opened after they asked and closed by the last of them', async () => {
  const folder = new ModelFolder(new FakeClock());
  let opened = 0;
  let closed = 0;
  let go = (): void => undefined;
  let fails = false;
  const shared = new SharedReader(async () => {
    const number = (opened += 1);
    await new Promise<void>((resolve) => (go = resolve));
    if (fails) throw new Error('away');
    const view = await folder.read();
    return Object.assign(view, {
      positions: async () => [{ next: number }] as never,
      [Symbol.asyncDispose]: async () => void (closed += 1),
    });
  });
  const number = (): Promise<unknown> =>
    shared.lookAtOrders(async (view) => (await view.positions())[0]?.next);
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  const first = [number(), number()];
  await turn();
  expect(opened).toBe(1);
  // It may not see what was committed before these ask.
  const later = [number(), number()];
  await turn();
  expect(opened).toBe(1);
  go();
  expect(await Promise.all(first)).toEqual([1, 1]);
  expect(closed).toBe(1);
  await turn();
  go();
  expect(await Promise.all(later)).toEqual([2, 2]);
  expect(closed).toBe(2);

  fails = true;
  const failing = number();
  await turn();
  go();
  await expect(failing).rejects.toThrow('away');
  fails = false;
  const again = number();
  await turn();
  go();
  expect(await again).toBe(4);
});
