import { fork, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stopOwner } from '../../../src/adapters/files/owner/stop.ts';
import { bundled } from '../../support/bundled.ts';

const work = fs.mkdtempSync(path.join(os.tmpdir(), 'owner-stop-test-'));
const ownerModule = path.join(work, 'owner.mjs');
fs.writeFileSync(ownerModule, await bundled('adapters/files/owner/owner.ts'));
const childModule = path.join(work, 'child.mjs');

/** Owns the folder. What is asked of it is answered with true; when that is `stop`, it lets go and ends. */
fs.writeFileSync(
  childModule,
  `import { acquire } from ${JSON.stringify(ownerModule)};
   const ownership = await acquire(process.argv[2], { purpose: 'child' }, async (request) => {
     if (request === 'stop') setImmediate(async () => { await ownership[Symbol.asyncDispose](); process.exit(0); });
     return request !== 'edit';
   });
   process.send('owns');`,
);

let folder: string;
let owner: ChildProcess | undefined;

beforeEach(() => {
  folder = path.join(fs.mkdtempSync(path.join(work, 'f-')), '.orderctl');
});
afterEach(() => owner?.kill('SIGKILL'));
afterAll(() => fs.rmSync(work, { recursive: true, force: true }));

async function start(): Promise<ChildProcess> {
  const child = fork(childModule, [folder], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  owner = child;
  await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', () => reject(new Error('the child ended')));
  });
  return child;
}

function write(hello: object): void {
  fs.writeFileSync(path.join(folder, 'owner.1.json'), JSON.stringify(hello));
}

describe('stopping the owner of a folder', () => {
  it('waits until it has let go and its process is gone', async () => {
    const child = await start();
    expect(await stopOwner(folder, 'stop', false)).toEqual({ pid: child.pid, killed: false });
    expect(fs.readdirSync(folder)).toEqual(['owner.1']);
    expect(await stopOwner(folder, 'stop', true)).toBeNull();
  });

  it('leaves alone an owner that is no consumer', async () => {
    const child = await start();
    expect(await stopOwner(folder, 'edit', true)).toBeNull();
    expect(child.exitCode).toBeNull();
  });

  it('kills a paused one only when its process is the one that owns the folder', async () => {
    const child = await start();
    const hello = JSON.parse(fs.readFileSync(path.join(folder, 'owner.1.json'), 'utf8')) as {
      process: string;
    };
    child.kill('SIGSTOP');
    await expect(stopOwner(folder, 'stop', false)).rejects.toMatchObject({ code: 'owner_unreachable' });

    // A process of that number is there, and was started at another time: the owner has died, and it came after.
    write({ ...hello, process: `${hello.process}1` });
    await expect(stopOwner(folder, 'stop', true)).rejects.toMatchObject({ code: 'owner_unreachable' });
    write({ ...hello, process: null });
    await expect(stopOwner(folder, 'stop', true)).rejects.toMatchObject({ code: 'owner_unreachable' });
    expect(child.signalCode).toBeNull();

    write(hello);
    expect(await stopOwner(folder, 'stop', true)).toEqual({ pid: child.pid, killed: true });
    expect(await stopOwner(folder, 'stop', true)).toBeNull();
  });
});
