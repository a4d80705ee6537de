import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { Part, type PartEvent } from '../../../src/cli/up/part.ts';

it('a part that was stopped before its start leaves no process', async () => {
  let starts = 0;
  const part = new Part({
    ...{ name: 'run', env: {}, cwd: tmpdir(), announces: false, on: () => undefined },
    args: () => {
      starts += 1;
      return ['--version'];
    },
  });
  await part.stop();
  await expect(part.start()).rejects.toThrow('run was stopped before it started');
  expect(starts).toBe(0);
});

it('a part that ends again at once is not back', { timeout: 30_000 }, async () => {
  const events: PartEvent['kind'][] = [];
  let endings = 0;
  await new Promise<void>((resolve, reject) => {
    const part = new Part({
      ...{ name: 'run', env: process.env, cwd: tmpdir(), announces: false, args: () => ['--version'] },
      on: ({ kind }) => {
        events.push(kind);
        if (kind === 'ended') endings += 1;
        if (endings === 3) part.stop().then(resolve, reject);
      },
    });
    part.start().catch(reject);
  });
  expect(events).toEqual(['ended', 'ended', 'ended']);
});
