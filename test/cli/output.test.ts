import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { closedPort } from '../support/closed-port.ts';
import { tries } from '../support/effort.ts';
import { silentServer } from '../support/silent-server.ts';
import { onTerminal } from '../support/terminal.ts';
import { failureOf, fill, openShop, parseLines, penShop, type Shop } from '../support/cli.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const BINARY = path.join(ROOT, 'bin/orderctl');
const SECRET = 'correct-horse-battery';

/** Runs a line of the shell, with orderctl as `$ORDERCTL`. */
async function inShell(
  script: string,
  env: Readonly<Record<string, string>>,
): Promise<{ stdout: string; stderr: string }> {
  const command = `'${process.execPath}' '${BINARY}'`;
  return promisify(execFile)(
    'bash',
    ['--norc', '--noprofile', '-c', `orderctl() { ${command} "$@"; }\n${script}`],
    {
      env: { PATH: process.env.PATH, ...env },
      timeout: 25_000,
      maxBuffer: 2 ** 26,
    },
  );
}

describe('a reader that closes the pipe', () => {
  it('ends it quietly, however much there is', async () => {
    const shop = openShop();
    const rows = Array.from({ length: 20_000 }, (_, i) => `item-${i},${i}`);
    shop.write('inventory.csv', `item,quantity\n${rows.join('\n')}\n`);
    for (const [args, first] of [
      ['inventory show', 'ITEM'],
      ['inventory show -o json', '{"items"'],
    ] as const) {
      const script = `orderctl ${args} | head -c 8 | head -1; echo "codes \${PIPESTATUS[@]}"`;
      const { stdout, stderr } = await inShell(script, shop.env);
      expect(stdout).toContain(first);
      expect(stdout).toContain('codes 0 0 0');
      expect(stderr).toBe('');
    }
  });

  it('loses nothing with one that is slow', async () => {
    const shop = openShop();
    const rows = Array.from({ length: 20_000 }, (_, i) => `item-${i},${i}`);
    shop.write('inventory.csv', `item,quantity\n${rows.join('\n')}\n`);
    const { stdout } = await inShell('orderctl inventory show -o json | (sleep 0.5; cat)', shop.env);
    expect((JSON.parse(stdout) as { items: unknown[] }).items).toHaveLength(20_000);
  });
});

describe('colour', () => {
  it('is not for pipes', async () => {
    const shop = openShop();
    await shop.ok('inventory add --item pen --quantity 1 --reorder-level 5');
    const failed = await shop.built.run('user show --user x');
    const shown = await shop.built.ok('inventory show');
    expect(`${failed.stderr}${shown.stdout}`).not.toContain('\u001B');
  });
});

const SHOWN = ['inventory show', 'user show', 'config show'].slice(0, tries(3, 1));

it.runIf(process.platform === 'linux').each(SHOWN)(
  'titles on a terminal are coloured, whole, and above their columns: %s',
  async (args) => {
    const shop = openShop();
    fill(shop, { alice: 'paid' }, { book: 10, pen: 50 });
    const { text, coloured } = await onTerminal(shop, args);
    expect(coloured).toContain('\u001B[1m');
    const head = (printed: string): string[] => printed.split('\n').slice(0, 3);
    expect(head(text)).toEqual(head((await onTerminal(shop, `${args} --no-color`)).text));
    expect(head(text)[0]).not.toContain('…');
  },
);

describe('secrets', () => {
  it('are masked and nowhere else', async () => {
    const shop = openShop({ ORDERCTL_SASL_PASSWORD: SECRET, ORDERCTL_REGISTRY_PASSWORD: SECRET });
    const text = await shop.ok('config show');
    expect(text.stdout).toMatch(/^sasl_password +\*{8} +environment ORDERCTL_SASL_PASSWORD$/m);
    const { settings } = (await shop.json('config show')) as unknown as { settings: { name: string }[] };
    expect(settings.find(({ name }) => name === 'registry_password')).toEqual({
      name: 'registry_password',
      value: '********',
      source: 'environment',
      from: 'ORDERCTL_REGISTRY_PASSWORD',
    });
    const debugged = await shop.run('config show --log-level debug -o json');
    expect(`${text.stdout}${text.stderr}${debugged.stdout}${debugged.stderr}`).not.toContain(SECRET);
  });

  it('are null when unset', async () => {
    const { settings } = (await openShop().json('config show')) as unknown as {
      settings: { name: string; value: unknown }[];
    };
    expect(settings.find(({ name }) => name === 'sasl_password')?.value).toBeNull();
  });

  it.each([
    ['consume', `--sasl-password=${SECRET}`],
    ['consume', '--sasl-password', SECRET],
    ['--registry-password', SECRET, 'user', 'show'],
    ['user', 'show', '--registry', `http://shop:${SECRET}@127.0.0.1:8081`],
    ['user', 'show', '--brokers', `shop:${SECRET}@127.0.0.1:9092`],
  ])('are refused on the command line and not repeated: %s', async (...args) => {
    const result = await openShop().run([...args, '-o', 'json', '--log-level', 'debug']);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).not.toContain(SECRET);
    expect(failureOf(result).fix).toContain('ORDERCTL_');
  });

  it('are refused in the settings file and not repeated', async () => {
    const shop = openShop();
    fs.writeFileSync(path.join(shop.folder, 'orderctl.json'), JSON.stringify({ sasl_password: SECRET }));
    const result = await shop.run('user show -o json');
    expect(result.code).toBe(2);
    expect(failureOf(result)).toMatchObject({
      code: 'invalid_settings',
      file: path.join(shop.folder, 'orderctl.json'),
    });
    expect(result.stderr).not.toContain(SECRET);
  });

  it('of a file that others may read are refused', async () => {
    const shop = openShop();
    const file = path.join(shop.folder, 'secret');
    fs.writeFileSync(file, `${SECRET}\n`, { mode: 0o644 });
    const env = { ORDERCTL_SASL_PASSWORD_FILE: file, ORDERCTL_SASL_USERNAME: 'shop' };
    const result = await shop.run('consume --sasl-mechanism plain -o json', { env });
    expect(result.code).toBe(2);
    expect(failureOf(result)).toMatchObject({ file, fix: `chmod 600 ${file}` });
    expect(result.stderr).not.toContain(SECRET);
  });
});

describe('config show', () => {
  it('names the source of each value', async () => {
    const shop = openShop({ ORDERCTL_TOPIC: '', ORDERCTL_GROUP: 'from-env' });
    const file = path.join(shop.folder, 'orderctl.json');
    fs.writeFileSync(file, JSON.stringify({ topic: 'from-file', no_color: true }));
    const document = (await shop.json('config show --brokers kafka:1')) as unknown as {
      file: string;
      settings: { name: string }[];
    };
    expect(document.file).toBe(file);
    const of = (wanted: string): unknown => document.settings.find(({ name }) => name === wanted);
    expect(of('topic')).toEqual({ name: 'topic', value: 'from-file', source: 'file', from: file });
    expect(of('group')).toEqual({
      name: 'group',
      value: 'from-env',
      source: 'environment',
      from: 'ORDERCTL_GROUP',
    });
    expect(of('brokers')).toEqual({ name: 'brokers', value: 'kafka:1', source: 'flag', from: '--brokers' });
    expect(of('dlq_topic')).toEqual({
      name: 'dlq_topic',
      value: 'from-file.dlq',
      source: 'default',
      from: null,
    });
    const before = await shop.ok('--brokers kafka:1 config show');
    expect(before.stdout).toMatch(/^brokers +kafka:1 +flag --brokers$/m);
    expect(before.stdout).toMatch(new RegExp(`^topic +from-file +${file}$`, 'm'));
  });

  it('refuses what the file holds wrong, by file and key', async () => {
    const shop = openShop();
    const file = path.join(shop.folder, 'orderctl.json');
    fs.writeFileSync(file, JSON.stringify({ brokres: 'kafka:1' }));
    const result = await shop.run('config show');
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toBe(`error: ${file}: brokres is not a setting\nfix: did you mean brokers?\n`);
  });
});

describe('no broker', () => {
  it.each(['consume --until-end', 'produce --user a --item b --quantity 1'])(
    '%s is 5 within the time of the contract, and says how to get one',
    async (args) => {
      const shop = penShop({ ORDERCTL_BROKERS: `127.0.0.1:${await closedPort()}` });
      // One of them by the built binary.
      const { run } = args.startsWith('consume') ? shop.built : shop;
      const result = await run(`${args} -o json`, { timeoutMs: 25_000 });
      expect(result.code).toBe(5);
      expect(failureOf(result)).toMatchObject({ code: 'broker_unreachable', exit_code: 5 });
      expect(failureOf(result).fix).toContain('--brokers');
    },
  );

  it('a second Ctrl-C leaves at once', async () => {
    const shop = penShop({ ORDERCTL_BROKERS: `127.0.0.1:${await closedPort()}` });
    const running = shop.start('consume --log-level debug');
    await running.says(/debug: brokers/);
    running.signal('SIGINT');
    await running.says(/stopping/);
    // What comes close behind the first is taken for the same one, so it is pressed until it counts.
    const pressing = setInterval(() => running.signal('SIGINT'), 100);
    const { code } = await running.exited;
    clearInterval(pressing);
    expect(code).toBe(130);
  });
});

describe('what nobody foresaw', () => {
  it.each(['throw new Error("boom")', 'Promise.reject(new Error("boom"))'])(
    '%s is a bug: 1',
    async (code) => {
      const shop = penShop({ ORDERCTL_BROKERS: await silentServer() });
      // When it connects for the first time: by then it has read its settings.
      const module = encodeURIComponent(
        `import { Socket } from 'node:net';
         const { connect } = Socket.prototype;
         Socket.prototype.connect = function (...to) {
           Socket.prototype.connect = connect;
           setImmediate(() => { ${code} });
           return connect.apply(this, to);
         };`,
      );
      const env = { NODE_OPTIONS: `--import data:text/javascript,${module}` };
      const result = await shop.built.run('consume -o json', { env });
      expect(result.code).toBe(1);
      expect(failureOf(result)).toMatchObject({ code: 'bug', exit_code: 1 });
      expect(failureOf(result).message).toContain('boom');
      expect(result.stderr).not.toMatch(/^ +at /m);
      if (!code.startsWith('throw')) return;
      const debugged = await shop.built.run('consume --log-level debug', { env });
      expect(debugged.stderr).toMatch(/^ +at /m);
    },
  );
});

it.runIf(fs.existsSync('/dev/full'))('a full disk under stdout is 7', async () => {
  const shop = openShop();
  fill(shop, { alice: 'paid' }, {});
  const { stdout, stderr } = await inShell('orderctl user show > /dev/full; echo "code $?"', shop.env);
  expect(stdout).toBe('code 7\n');
  expect(stderr).toContain('ENOSPC');
});

describe('loading', () => {
  /** What Node loaded of ours and of packages: it writes down every script, modules of both kinds. */
  async function loadedBy(shop: Shop, args: string): Promise<{ own: string[]; packages: string[] }> {
    const coverage = fs.mkdtempSync(path.join(shop.folder, 'coverage-'));
    // An order that nobody knows is 3: what is loaded for it counts too.
    expect((await shop.built.run(args, { env: { NODE_V8_COVERAGE: coverage } })).code).toBeOneOf([0, 3]);
    const urls = fs.readdirSync(coverage).flatMap((file) => {
      const text = fs.readFileSync(path.join(coverage, file), 'utf8');
      return (JSON.parse(text) as { result: { url: string }[] }).result.map(({ url }) => url);
    });
    const own = urls.flatMap((url) => /\/dist\/(\w+\/.+)$/.exec(url)?.[1] ?? []);
    const packages = urls.flatMap((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
    return { own: own.sort(), packages };
  }

  /** The sources that the build has put into a file. */
  function sourcesIn(file: string): string[] {
    const text = fs.readFileSync(path.join(ROOT, 'dist', file), 'utf8');
    return [...text.matchAll(/^\/\/(?:#region)? ?src\/(.+)$/gm)].map(([, source = '']) => source);
  }

  it.each([
    // Arguments, how many files at most, and the sources beyond those that every command may have.
    ['--version', 1, []],
    ['user show', 3, ['cli/commands/user/']],
    [
      'order show O-1',
      6,
      ['cli/commands/order/', 'cli/output/checkout/', 'app/orders/checkout.ts', 'views/'],
    ],
    ['inventory update --item pen --quantity 5', 4, ['cli/commands/inventory/']],
    [
      'order list',
      7,
      [
        'cli/commands/order/',
        'cli/output/checkout/',
        'cli/output/orders/',
        'cli/output/consume/decision.ts',
        'app/orders/list.ts',
        'app/orders/list-sources.ts',
        'app/orders/listed-order.ts',
        'app/orders/later-orders.ts',
        'app/orders/checkout.ts',
        'app/orders/filter.ts',
        'views/',
        'app/orders/decision-order.ts',
        'app/history/moment.ts',
      ],
    ],
  ] as const)(
    'of %s is a handful of files, with what it needs and no package',
    async (args, atMost, needed) => {
      const shop = openShop();
      fill(shop, {}, { pen: 3 });
      const { own, packages } = await loadedBy(shop, args);
      expect(packages).toEqual([]);
      expect(own.map((file) => path.basename(file))).toContain('main.js');
      // What the bundler needs for packages that are not modules is a file of its own.
      const files = own.filter((file) => !file.endsWith('/rolldown-runtime.js'));
      expect(files.length).toBeLessThanOrEqual(atMost);
      const sources = own.flatMap(sourcesIn);
      for (const one of ['cli/main.ts', ...needed]) {
        expect(
          sources.some((source) => source.startsWith(one)),
          one,
        ).toBe(true);
      }
      const every =
        /^(domain|ports)\/|^(?:compose|directories)\.ts$|^cli\/commands\/index\.ts$|^cli\/(?:(?:output(?:\/positions)?|settings|tables)\/)?[^/]+$|^documents\/write\/|^adapters\/files\/(?!inspection|(?:csv|ids)\/check)/;
      const others = sources.filter(
        (source) => !every.test(source) && !needed.some((one) => source.startsWith(one)),
      );
      expect(others).toEqual([]);
      expect(
        sources.filter((source) =>
          /^cli\/(complete|input|kafka|tables\/edit-in)|progress|doctor/.test(source),
        ),
      ).toEqual([]);
    },
  );

  it('of what starts other programs is left to the commands that do', async () => {
    const shop = openShop();
    fill(shop, { alice: 'paid' }, {});
    const printed = "process.on('exit', () => console.error(process.moduleLoadList.join(' ')))";
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(printed)}` };
    for (const args of ['--version', 'user show']) {
      const loaded = (await shop.built.ok(args, { env })).stderr;
      expect(loaded).toContain('NativeModule fs');
      expect(loaded).not.toContain('child_process');
    }
  });

  it('of schemas of documents is part of the HTTP server alone: others use their types', () => {
    const main = fs.readFileSync(path.join(ROOT, 'dist/main.js'), 'utf8');
    const folder = /'\.\/(\w+)\/main\.js'/.exec(main)?.[1] ?? '';
    const files = fs.readdirSync(path.join(ROOT, 'dist', folder));
    const chunks = files.map((file) => sourcesIn(`${folder}/${file}`));
    expect(chunks.flat()).toContain('cli/main.ts');
    const withSchemas = chunks.filter((sources) =>
      sources.some((source) => /^documents\/(?!write\/)/.test(source)),
    );
    for (const sources of withSchemas) {
      // Pages of orders, and of what changed an item, are the API's alone.
      const others = sources.filter(
        (source) =>
          !/^(?:(?:http|documents)\/|app\/(?:orders\/page|history\/(?:item-changes|marks))\.ts$)/.test(
            source,
          ),
      );
      expect(others).toEqual([]);
    }
  });
});

it('says all that it has to say as JSON lines under -o json, the error last', async () => {
  const shop = penShop({ ORDERCTL_BROKERS: `127.0.0.1:${await closedPort()}` });
  shop.write('inventory.csv.conflict', 'item,quantity\npen,1\n');
  const result = await shop.run('offsets show -o json --log-level debug');
  expect(result).toMatchObject({ code: 5, stdout: '' });
  const said = parseLines(result.stderr) as readonly unknown[] as Record<string, unknown>[];
  expect(said.pop()).toMatchObject({ type: 'error', code: 'broker_unreachable' });
  expect(new Set(said.map(({ type }) => type))).toEqual(new Set(['log']));
  expect(said.map(({ level }) => level)).toEqual(expect.arrayContaining(['warn', 'debug']));
  const [kept] = said;
  expect(kept).toMatchObject({
    level: 'warn',
    message: expect.stringMatching(/^\S+ was set aside/) as unknown,
  });
});

it('ends when stdin is a pipe that stays open', async () => {
  const shop = penShop();
  const child = spawn(process.execPath, [BINARY, 'user', 'show'], {
    env: { PATH: process.env.PATH, ...shop.env },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const code = await new Promise((resolve) => child.on('exit', resolve));
  child.stdin.destroy();
  expect(code).toBe(0);
});
