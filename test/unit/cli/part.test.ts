import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { Part } from '../../../src/cli/up/part.ts';

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
