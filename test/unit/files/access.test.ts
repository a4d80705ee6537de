import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFolder } from '../../../src/adapters/files/folder.ts';
import { realFileSystem } from '../../../src/adapters/files/fs.ts';
import { systemClock } from '../../../src/compose.ts';
import type { Failure } from '../../../src/domain/failure.ts';
import type { StoreAccess } from '../../../src/ports/access.ts';
import { bundled } from '../../support/bundled.ts';
import { ownFolder } from '../../support/decided.ts';
import { waitFor } from '../../support/wait.ts';

const [UID, GID, GROUP] = [12_345, 12_346, 12_347];
const isRoot = process.geteuid?.() === 0;
if (!isRoot) process.stderr.write('SKIPPED: files of other users, since this is not root\n');

let folder: string;
let umask: number;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-access-'));
  umask = process.umask(0o022);
});
afterEach(() => {
  process.umask(umask);
  fs.rmSync(folder, { recursive: true });
});

const file = (name: string): string => path.join(folder, name);
const accessOf = (name: string): string => {
  const { mode, uid, gid } = fs.statSync(file(name));
  return `${(mode & 0o777).toString(8)} ${uid}:${gid}`;
};
async function setStock(quantity: number): Promise<void> {
  const access = openFolder({ folder, clock: systemClock });
  const request = { kind: 'item.update', item: 'book', quantity } as const;
  await access.edit(request, { via: 'command', onNotice: () => undefined });
}

describe('a rewrite keeps', () => {
  const BASE = 'item,quantity,shelf\nbook,10,a\npen,5,"b, c"\n';

  it.each<[string, string, string]>([
    ['line feeds', BASE, BASE],
    ['CRLF', BASE.replaceAll('\n', '\r\n'), BASE.replaceAll('\n', '\r\n')],
    ['CR', BASE.replaceAll('\n', '\r'), BASE.replaceAll('\n', '\r')],
    ['the byte order mark', `\ufeff${BASE}`, `\ufeff${BASE}`],
    ['both', `\ufeff${BASE.replaceAll('\n', '\r\n')}`, `\ufeff${BASE.replaceAll('\n', '\r\n')}`],
    ['of mixed line ends the one of the header', BASE.replace('\n', '\r\n'), BASE.replaceAll('\n', '\r\n')],
    [
      'a header with a quoted line break',
      BASE.replace('shelf', '"sh\r\nelf"'),
      BASE.replace('shelf', '"sh\r\nelf"'),
    ],
    [
      'the order of the columns',
      'price,shelf,quantity,item\n1.50,a,10,book\n,b,5,pen\n',
      'price,shelf,quantity,item\n1.50,a,10,book\n,b,5,pen\n',
    ],
  ])('%s', async (_what, before, after) => {
    fs.writeFileSync(file('inventory.csv'), before);
    await setStock(11);
    expect(fs.readFileSync(file('inventory.csv'), 'utf8')).toBe(after.replace('10', '11'));
    await setStock(12);
    expect(fs.readFileSync(file('inventory.csv'), 'utf8')).toBe(after.replace('10', '12'));
  });

  it.each([0o600, 0o640, 0o664, 0o444])('mode %o', async (mode) => {
    fs.writeFileSync(file('inventory.csv'), BASE);
    fs.chmodSync(file('inventory.csv'), mode);
    await setStock(11);
    expect(fs.statSync(file('inventory.csv')).mode & 0o777).toBe(mode);
  });

  it('a mode that is changed while a consumer runs', async () => {
    fs.writeFileSync(file('inventory.csv'), BASE);
    await using store = await ownFolder(folder);
    fs.chmodSync(file('inventory.csv'), 0o600);
    await store.transact({}, (snapshot) => {
      const before = snapshot.item('book') ?? null;
      const after = before === null ? null : { ...before, quantity: 3 };
      return { changes: { edits: [{ kind: 'item', item: 'book', before, after }] }, result: null };
    });
    await waitFor('the rewrite', () => fs.readFileSync(file('inventory.csv'), 'utf8').includes('book,3'));
    expect(fs.statSync(file('inventory.csv')).mode & 0o777).toBe(0o600);
  });

  it.runIf(isRoot)('owner and group', async () => {
    fs.writeFileSync(file('inventory.csv'), BASE);
    fs.chmodSync(file('inventory.csv'), 0o664);
    fs.chownSync(file('inventory.csv'), UID, GROUP);
    await setStock(11);
    expect(accessOf('inventory.csv')).toBe(`664 ${UID}:${GROUP}`);
  });

  it.runIf(isRoot)('nothing for the group where the group cannot be kept', async () => {
    fs.writeFileSync(file('inventory.csv'), BASE);
    fs.chmodSync(file('inventory.csv'), 0o664);
    fs.chownSync(file('inventory.csv'), UID, GROUP);
    fs.chownSync(folder, UID, GID);
    await asUser((access) => access.edit(byOne, via));
    expect(accessOf('inventory.csv')).toBe(`644 ${UID}:${GID}`);
  });
});

const via = { via: 'command', onNotice: () => undefined } as const;
const byOne = { kind: 'item.update', item: 'book', by: 1 } as const;

/** Does something in the folder as the other user. */
async function asUser<T>(work: (access: StoreAccess) => Promise<T>): Promise<T> {
  const groups = process.getgroups?.() ?? [];
  process.setgroups?.([]);
  process.setegid?.(GID);
  process.seteuid?.(UID);
  try {
    return await work(openFolder({ folder, clock: systemClock }));
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
    process.setgroups?.(groups);
  }
}

const failureOf = (work: Promise<unknown>): Promise<Failure> =>
  work.then(
    () => Promise.reject(new Error('no failure')),
    (error: unknown) => error as Failure,
  );

/** One more book, by another process of the other user. */
async function editInAnotherProcess(): Promise<{ status: number | null; stderr: string }> {
  const source = `
    ${await bundled('adapters/files/folder.ts')}
    const { setTimeout: sleepFor } = await import('node:timers/promises');
    process.setgroups([]); process.setgid(${GID}); process.setuid(${UID});
    const clock = {
      now: () => Date.now(),
      elapsed: () => performance.now(),
      sleep: (ms, signal) => sleepFor(ms, undefined, { signal }).catch(() => undefined),
    };
    const access = openFolder({ folder: ${JSON.stringify(folder)}, clock });
    await access.edit(${JSON.stringify(byOne)}, { via: 'command', onNotice: () => undefined });
  `;
  const child = spawn(process.execPath, ['--input-type=module'], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  child.stdin.end(source);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stderr };
}

/** What lies in the folder and is not the other user's, or is open to more than the folder is. */
function strangers(): string[] {
  const wider = fs.statSync(folder).mode;
  return fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const { mode, uid, gid } = fs.statSync(file(name));
    return uid !== UID || gid !== GID || (mode & ~wider & 0o666) !== 0;
  });
}

describe.runIf(isRoot).each([
  [0o755, 0o077],
  [0o700, 0o022],
])("root in another user's folder of mode %o, umask %o", (mode, mask) => {
  beforeEach(() => {
    process.umask(mask);
    fs.chownSync(folder, UID, GID);
    fs.chmodSync(folder, mode);
  });

  it('leaves everything to that user, the folder made by it included', async () => {
    fs.writeFileSync(file('inventory.csv'), 'item,quantity\nbook,10\n', { mode: mode & 0o666 });
    fs.chownSync(file('inventory.csv'), UID, GID);
    await setStock(11);
    expect(strangers()).toEqual([]);
    await asUser(async (access) => {
      await access.edit(byOne, via);
      await using reader = await access.read();
      expect([...(await reader.items())]).toMatchObject([{ quantity: 12 }]);
      expect(await access.consumerStatus()).toBeNull();
    });
    await setStock(13);
    expect(strangers()).toEqual([]);
  });

  it('lets that user ask the consumer that root runs', async () => {
    fs.writeFileSync(file('inventory.csv'), 'item,quantity\nbook,10\n', { mode: mode & 0o666 });
    fs.chownSync(file('inventory.csv'), UID, GID);
    await using store = await ownFolder(folder);
    expect(await editInAnotherProcess()).toEqual({ status: 0, stderr: '' });
    expect([...(await store.items())]).toMatchObject([{ item: 'book', quantity: 11 }]);
    expect(strangers()).toEqual([]);
  });

  it('makes a folder in it that is the user’s too', async () => {
    const inside = path.join(folder, 'a', 'storage');
    const access = openFolder({ folder: inside, clock: systemClock });
    await access.edit(
      { kind: 'user.add', user: 'alice', status: 'paid' },
      { via: 'command', onNotice: () => undefined },
    );
    expect(strangers()).toEqual([]);
  });
});

it.runIf(isRoot)('what is not permitted is a failure with the file, its owner and the way out', async () => {
  fs.writeFileSync(file('inventory.csv'), 'item,quantity\nbook,10\n');
  fs.chmodSync(folder, 0o755);
  await setStock(11);
  fs.chmodSync(file('.orderctl'), 0o700);
  const attempts: readonly ((access: StoreAccess) => Promise<unknown>)[] = [
    (access) => access.edit(byOne, via),
    (access) => access.read(),
    (access) => access.consumerStatus(),
  ];
  for (const attempt of attempts) {
    const failure = await failureOf(asUser(attempt));
    expect(failure).toMatchObject({ code: 'read_failed' });
    expect(failure.message).toMatch(/^reading .*\.orderctl.* belongs to root, mode 700 \(EACCES\)$/);
    expect(failure.fix).not.toContain('as root');
    expect(failure.fix).toContain('take over the folder: sudo chown');
  }

  fs.chmodSync(folder, 0o700);
  const closed = await failureOf(asUser(async (access) => access.keptAside()));
  // Not the folder that it is in.
  expect(closed.fix).toContain(`sudo chown -R "$(id -un)" ${folder},`);
  fs.chmodSync(folder, 0o755);

  // As an earlier version left it: the folder is the user's, what is in it is root's.
  fs.chownSync(folder, UID, GID);
  fs.chmodSync(file('.orderctl'), 0o755);
  const [edit, , status] = attempts;
  for (const attempt of [edit, status]) {
    const failure = await failureOf(asUser(attempt ?? (() => Promise.resolve())));
    expect(failure.message).toMatch(/^reading .*owner\.\d+ failed: .* it belongs to root, mode 600/);
    expect(failure.fix).toContain(`sudo chown -R "$(id -un)" ${folder}`);
  }
});

it.runIf(isRoot)('what may be read is audited without the owner, which may have more to write', async () => {
  fs.writeFileSync(file('inventory.csv'), 'item,quantity\nbook,10\n');
  fs.chmodSync(folder, 0o755);
  await setStock(11);
  const before = fs.readFileSync(file('inventory.csv'));
  await setStock(12);
  fs.writeFileSync(file('inventory.csv'), before);
  await asUser(async (access) => {
    await using opened = await access.inspect();
    expect(opened.isOwned).toMatchObject({ code: 'read_failed' });
    expect((opened.isOwned as Failure).message).toMatch(/owner\.\d+ failed: permission denied/);
    expect([...opened.items()]).toMatchObject([{ item: 'book', quantity: 12 }]);
    const notes: unknown[] = [];
    for await (const finding of opened.findings()) {
      expect(finding.difference).toBeUndefined();
      notes.push(finding.note?.message);
    }
    expect(notes).toEqual([
      expect.stringMatching(/it is an older version; an owner, if there is one, writes it/),
    ]);
  });
  // Who can see that nobody owns it calls it what it is.
  await using opened = await openFolder({ folder, clock: systemClock }).inspect();
  expect(opened.isOwned).toBe(false);
  const kinds: unknown[] = [];
  for await (const { difference } of opened.findings()) kinds.push(difference?.kind);
  expect(kinds).toEqual(['csv_behind']);
});

it('a pipe in the place of a file is refused at once, and nobody is waited for', async () => {
  execFileSync('mkfifo', [file('users.csv')]);
  const failure = await failureOf(openFolder({ folder, clock: systemClock }).read());
  expect(failure).toMatchObject({ code: 'read_failed', context: { file: file('users.csv') } });
});

it.skipIf(!fs.existsSync('/proc/self'))(
  'making a folder ends where the system makes none, and says which',
  () => {
    expect(() => realFileSystem.makeDirectory('/proc/x/y')).toThrow("mkdir '/proc/x'");
  },
);

it.skipIf(!isRoot)('a folder that may not be looked into is opened, and each use of it says so', async () => {
  const inner = file('closed');
  fs.mkdirSync(path.join(inner, 'shop'), { recursive: true });
  fs.chmodSync(folder, 0o755);
  fs.chmodSync(inner, 0o700);
  process.seteuid?.(UID);
  try {
    const access = openFolder({ folder: path.join(inner, 'shop'), clock: systemClock });
    expect(() => access.keptAside()).toThrow(/permission denied/);
    await expect(access.read()).rejects.toMatchObject({ code: 'read_failed' });
  } finally {
    process.seteuid?.(0);
  }
});
