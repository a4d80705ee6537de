import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { newFolder, publish, STYLES } from '../../build.mjs';

let dist = '';

beforeEach(() => (dist = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-build-'))));
afterEach(() => fs.rmSync(dist, { recursive: true, force: true }));

/** A build whose command loads a second file when it is called, as commands do. */
function built(name: string): string {
  const folder = newFolder(dist);
  const late = `./late-${name}.js`;
  fs.writeFileSync(
    path.join(folder, 'main.js'),
    `export const run = async () => (await import('${late}')).name;\n`,
  );
  fs.writeFileSync(path.join(folder, late), `export const name = '${name}';\n`);
  return folder;
}

/** A command that has begun: what is in force at this moment, loaded. */
let loads = 0;
async function begin(): Promise<{ run: () => Promise<string> }> {
  loads += 1;
  const url = `file://${dist}/main.js?${loads}`;
  return (await import(/* @vite-ignore */ url)) as { run: () => Promise<string> };
}

function folders(): string[] {
  return fs.readdirSync(dist).filter((name) => name !== 'main.js');
}

it('takes no file away from a command that runs, and counts for the next', async () => {
  publish(dist, built('old'));
  const running = await begin();
  publish(dist, built('new'));
  expect(await running.run()).toBe('old');
  expect(await (await begin()).run()).toBe('new');
});

it('changes nothing where the sources are the same, and goes back to what was', async () => {
  const place = publish(dist, built('a'));
  const before = fs.statSync(path.join(place, 'main.js')).ino;
  expect(publish(dist, built('a'))).toBe(place);
  expect(fs.statSync(path.join(place, 'main.js')).ino).toBe(before);
  publish(dist, built('b'));
  expect(publish(dist, built('a'))).toBe(place);
  expect(await (await begin()).run()).toBe('a');
  expect(folders()).toHaveLength(2);
});

it('is whole at any moment while others build too', async () => {
  publish(dist, built('first'));
  const script = `
    import { newFolder, publish } from ${JSON.stringify(path.resolve(import.meta.dirname, '../../build.mjs'))};
    import fs from 'node:fs';
    for (let i = 0; i < 40; i++) {
      const folder = newFolder(process.argv[1]);
      // Now the same as the other builds, now one of its own.
      const text = i % 2 === 0 ? 'same' : process.pid + '-' + i;
      fs.writeFileSync(folder + '/main.js', 'export const run = async () => ' + JSON.stringify(text) + ';');
      publish(process.argv[1], folder);
    }`;
  const names = new Set([await (await begin()).run()]);
  let running = 2;
  const builds = [1, 2].map(async () => {
    const build = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, dist]);
    await build.finally(() => (running -= 1));
  });
  while (running > 0) names.add(await (await begin()).run());
  await Promise.all(builds);
  expect(names).toContain('first');
  expect(await (await begin()).run()).not.toBe('first');
});

it('passes over what another build moves or removes while it looks for what was replaced', () => {
  const moved = newFolder(dist);
  const removed = publish(dist, built('a'));
  publish(dist, built('b'));
  const folder = built('c');
  const { readdirSync } = fs;
  vi.spyOn(fs, 'readdirSync').mockImplementation(((place: string, options: { withFileTypes: true }) => {
    const found = readdirSync(place, options);
    if (place === dist) for (const gone of [moved, removed]) fs.rmSync(gone, { recursive: true });
    return found;
  }) as unknown as typeof readdirSync);
  publish(dist, folder);
  vi.restoreAllMocks();
  expect(folders()).toHaveLength(2);
});

it('keeps what was replaced for a day, the last one longer, and npm packs none of them', () => {
  const age = (place: string, days: number): void => {
    const at = Date.now() / 1000 - days * 86_400;
    fs.utimesSync(path.join(place, '.npmignore'), at, at);
  };
  const [a = '', b = '', c = ''] = ['a', 'b', 'c'].map((name) => publish(dist, built(name)));
  for (const [place, isPacked] of [
    [a, false],
    [b, false],
    [c, true],
  ] as const) {
    expect(fs.existsSync(path.join(place, '.npmignore')), place).toBe(!isPacked);
  }
  age(a, 3);
  age(b, 2);
  const d = publish(dist, built('d'));
  // c was replaced just now.
  expect(folders().sort()).toEqual([c, d].map((place) => path.basename(place)).sort());
  age(c, 9);
  publish(dist, built('d'));
  expect(fs.existsSync(c)).toBe(true);
});

it('puts all styles of the page into page.css', () => {
  const folder = new URL('../../src/page/styles/', import.meta.url);
  expect([...STYLES].sort().map((name) => `${name}.css`)).toEqual(fs.readdirSync(folder).sort());
});
