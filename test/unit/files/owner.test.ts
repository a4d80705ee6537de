import { fork, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquire, ask, type Ownership } from '../../../src/adapters/files/owner/owner.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { IS_FULL } from '../../support/effort.ts';
import { bundled } from '../../support/bundled.ts';

const work = fs.mkdtempSync(path.join(os.tmpdir(), 'owner-test-'));
const ownerModule = path.join(work, 'owner.mjs');
fs.writeFileSync(ownerModule, await bundled('adapters/files/owner/owner.ts'));
const childModule = path.join(work, 'child.mjs');

/** Tries to own the folder when asked to; answers `tried` with whether it does. Requests are answered with its pid. */
fs.writeFileSync(
  childModule,
  `import { acquire } from ${JSON.stringify(ownerModule)};
   process.on('message', async (folder) => {
     try {
       const ownership = await acquire(folder, { purpose: 'child' }, async (request) => {
         if (request === 'hang') return await new Promise(() => {});
         return process.pid;
       });
       process.send({ owns: true });
       process.on('SIGTERM', async () => { await ownership[Symbol.asyncDispose](); process.exit(0); });
     } catch (error) {
       process.send({ owns: false, code: error.code, message: error.message });
     }
   });
   process.send({ ready: true });`,
);

const children = new Set<ChildProcess>();
const held: Ownership[] = [];
let folder: string;

beforeEach(() => {
  folder = path.join(fs.mkdtempSync(path.join(work, 'f-')), '.orderctl');
});
afterEach(async () => {
  await Promise.all([...children].map((child) => end(child, 'SIGKILL')));
  for (const ownership of held.splice(0)) await ownership[Symbol.asyncDispose]();
});
afterAll(() => fs.rmSync(work, { recursive: true, force: true }));

interface Said {
  ready?: true;
  owns?: boolean;
  code?: string;
  message?: string;
}

async function heard(child: ChildProcess): Promise<Said> {
  return await new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error('the child ended'));
    child.once('exit', onExit);
    child.once('message', (said) => {
      child.off('exit', onExit);
      resolve(said as Said);
    });
  });
}

async function start(): Promise<ChildProcess> {
  const child = fork(childModule, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  children.add(child);
  await heard(child);
  return child;
}

async function tries(child: ChildProcess): Promise<Said> {
  const said = heard(child);
  child.send(folder);
  return await said;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await exited;
}

async function own(onRequest: (request: unknown) => Promise<unknown> = async () => null): Promise<Ownership> {
  const ownership = await acquire(folder, { purpose: 'test' }, onRequest);
  held.push(ownership);
  return ownership;
}

async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const failure = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(Failure);
  return failure as Failure;
}

describe('owning a folder', () => {
  it('is refused to a second process, and the message names the owner', async () => {
    await own();
    const child = await start();
    const said = await tries(child);
    expect(said).toMatchObject({ owns: false, code: 'folder_in_use' });
    expect(said.message).toContain(`process ${process.pid} (test, since `);
    expect(fs.statSync(path.join(folder, 'owner.1')).mode & 0o777).toBe(0o600);
  });

  it('passes on after a clean end, and one socket stays', async () => {
    for (let round = 1; round <= 5; round += 1) {
      await (await own())[Symbol.asyncDispose]();
      // Nothing names a process that is gone: its number may be another program's.
      expect(fs.readdirSync(folder)).toEqual([`owner.${round}`]);
    }
    expect(await ask(folder, {}, 1_000)).toBeNull();
  });

  it('is taken from a killed process within a second, and never from a paused one', async () => {
    const child = await start();
    expect(await tries(child)).toEqual({ owns: true });
    child.kill('SIGSTOP');

    const refused = await failureOf(own());
    expect(refused.code).toBe('folder_in_use');
    expect(refused.message).toContain(`process ${child.pid ?? 0} (child`);
    expect(refused.message).toContain('does not answer');
    const asked = await failureOf(ask(folder, 'add', 200));
    expect(asked.code).toBe('owner_unreachable');
    expect(asked.message).toContain('received no request');

    child.kill('SIGCONT');
    expect(await ask(folder, 'who', 5_000)).toEqual({ answer: child.pid });
    await end(child, 'SIGKILL');
    await own();
  });

  it('waits for who owns it for the moment of an edit, and for nobody else', async () => {
    const editing = await acquire(folder, { purpose: 'edit' }, async () => null);
    const waiting = acquire(folder, { purpose: 'consume' }, async () => null);
    // Long enough to be refused, which it must not be.
    const early = await Promise.race([waiting.then(() => 'owns', String), sleep(300, 'waits')]);
    expect(early).toBe('waits');
    await editing[Symbol.asyncDispose]();
    const consuming = await waiting;
    expect((await failureOf(acquire(folder, { purpose: 'edit' }, async () => null))).code).toBe(
      'folder_in_use',
    );
    await consuming[Symbol.asyncDispose]();
  });

  it('has one winner when many want the folder of a killed process, round after round', async () => {
    const seed = Date.now() % 100_000;
    let state = seed;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return Math.floor((state / 0x80000000) * below);
    };
    const crowd = await Promise.all(Array.from({ length: 8 }, start));
    let owner: ChildProcess | undefined;
    for (let round = 0; round < (IS_FULL ? 12 : 4); round += 1) {
      if (owner !== undefined) {
        const ended = end(owner, random(4) === 0 ? 'SIGTERM' : 'SIGKILL');
        // Half of the time the others run into the death itself.
        if (random(2) === 0) await ended;
        crowd[crowd.indexOf(owner)] = await start();
        await ended;
      }
      const said = await Promise.all(crowd.map(tries));
      const winners = crowd.filter((_child, at) => said[at]?.owns === true);
      expect(winners, `seed ${seed}, round ${round}`).toHaveLength(1);
      for (const other of said.filter(({ owns }) => owns !== true)) expect(other.code).toBe('folder_in_use');
      owner = winners[0];
      expect(await ask(folder, 'who', 5_000)).toEqual({ answer: owner?.pid });
    }
  }, 60_000);

  it('reaches a folder deeper than a socket path is long', async () => {
    folder = path.join(folder, 'd'.repeat(90), 'e'.repeat(90));
    await own(async (request) => request);
    expect(await ask(folder, { n: 1 }, 1_000)).toEqual({ answer: { n: 1 } });
    expect((await failureOf(own())).code).toBe('folder_in_use');
    expect(fs.readdirSync(folder)).toContain('owner.1');
  });
});

describe('asking the owner', () => {
  it('is null when nobody owns the folder, or there is none', async () => {
    expect(await ask(folder, {}, 1_000)).toBeNull();
    fs.mkdirSync(folder);
    fs.writeFileSync(path.join(folder, 'owner.7'), 'restored from a backup');
    expect(await ask(folder, {}, 1_000)).toBeNull();
    await own();
    expect(fs.readdirSync(folder)).toContain('owner.8');
  });

  it('brings a Failure over as it was, and another error as a bug', async () => {
    await own(async (request) => {
      if (request === 'bug') throw new TypeError('oh');
      throw new Failure('already_exists', 'item pen already exists', {
        fix: 'change it',
        context: { file: 'inventory.csv', line: 3, orderId: 'ORD-1' },
      });
    });
    const failure = await failureOf(ask(folder, 'add', 1_000));
    expect(failure).toMatchObject({
      code: 'already_exists',
      message: 'item pen already exists',
      fix: 'change it',
      context: { file: 'inventory.csv', line: 3, orderId: 'ORD-1' },
    });
    expect((await failureOf(ask(folder, 'bug', 1_000))).code).toBe('bug');
  });

  it('works for many at a time, each getting its own answer', async () => {
    await own(async (request) => {
      const { n } = request as { n: number };
      await new Promise((resolve) => setTimeout(resolve, (n * 7) % 10));
      return { n };
    });
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => ask(folder, { n }, 10_000)));
    expect(answers).toEqual(Array.from({ length: 50 }, (_, n) => ({ answer: { n } })));
  });

  it('says that it does not know when the owner dies, or takes too long, over a request', async () => {
    const child = await start();
    await tries(child);
    const late = await failureOf(ask(folder, 'hang', 100));
    expect(late.message).toContain('not known');
    const asked = failureOf(ask(folder, 'hang', 10_000));
    await ask(folder, 'who', 5_000);
    await end(child, 'SIGKILL');
    expect(await asked).toMatchObject({ code: 'owner_unreachable' });
    expect((await asked).message).toContain('not known');
  });

  it('goes on to the next owner when this one ends, and loses no request that it began', async () => {
    const done: number[] = [];
    const stop = new AbortController();
    const owners = (async () => {
      while (!stop.signal.aborted) {
        const ownership = await acquire(folder, { purpose: 'edit' }, async (request) => {
          await new Promise((resolve) => setTimeout(resolve, 1));
          done.push(request as number);
          return request;
        });
        // However slow the machine is, each owner ends in the middle of the work.
        const enough = Math.min(done.length + 15, 400);
        while (done.length < enough) await new Promise(setImmediate);
        await ownership[Symbol.asyncDispose]();
      }
    })();
    const answered: number[] = [];
    await Promise.all(
      Array.from({ length: 20 }, async (_, asker) => {
        for (let n = 0; n < 20;) {
          const request = asker * 100 + n;
          if ((await ask(folder, request, 60_000)) === null) {
            await new Promise(setImmediate);
            continue;
          }
          answered.push(request);
          n += 1;
        }
      }),
    );
    stop.abort();
    await owners;
    expect(done.sort((a, b) => a - b)).toEqual(answered.sort((a, b) => a - b));
    expect(done).toHaveLength(400);
  }, 90_000);

  it('survives what is no request: garbage, and a line without end', async () => {
    await own(async () => 'fine');
    const say = async (bytes: string | Buffer): Promise<string> => {
      const socket = net.connect(path.join(folder, 'owner.1'));
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('error', () => undefined);
      socket.write(bytes);
      await new Promise((resolve) => {
        socket.on('close', resolve);
        if (bytes.length < 1_000) socket.on('data', () => text.split('\n').length > 2 && socket.end());
      });
      return text;
    };
    expect(await say('\0\xff{]\n')).toContain('"invalid_input"');
    expect(await say('{"id":1}\n')).toContain('"invalid_input"');
    expect(await say(Buffer.alloc(3 * 1024 * 1024, 'x'))).not.toContain('invalid_input');
    expect(await ask(folder, 1, 1_000)).toEqual({ answer: 'fine' });
  });
});
