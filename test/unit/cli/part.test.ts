import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { Part, type PartEvent } from '../../../src/cli/up/part.ts';
import { printEvent } from '../../../src/cli/up/stack.ts';
import { Printer } from '../../../src/cli/output/printer.ts';

it('a part that was stopped before its start leaves no process', async () => {
  let starts = 0;
  const part = new Part({
    name: 'run',
    env: {},
    cwd: tmpdir(),
    announces: false,
    on: () => undefined,
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
      name: 'run',
      env: process.env,
      cwd: tmpdir(),
      announces: false,
      args: () => ['--version'],
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

it('what a part warns of is printed, but for what becomes of single orders', async () => {
  const stderr = new PassThrough();
  const own = new Printer(new PassThrough(), stderr);
  own.configure({ level: 'info', noColor: true, isJson: true });
  own.warn('inventory.csv:7 is broken');
  own.messages([{ level: 'warn', text: 'order o1 rejected' }], { about: 'order' });
  stderr.end();
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'part-'));
  const program = path.join(folder, 'says.mjs');
  fs.writeFileSync(program, `process.stderr.write(${JSON.stringify(await text(stderr))} + 'crash\\n');`);

  const said: string[] = [];
  const say = (message: string): void => void said.push(message);
  const printer = { error: say, warn: say, info: say, debug: () => undefined };
  await new Promise<void>((resolve) => {
    const part = new Part({
      name: 'run',
      program,
      args: () => [],
      env: {},
      cwd: folder,
      announces: false,
      on: (event) => {
        if (event.kind === 'says') printEvent(printer, event);
        else void part.stop().then(resolve);
      },
    });
    void part.start();
  });
  expect(said).toEqual(['run: inventory.csv:7 is broken', 'run: crash']);
});
