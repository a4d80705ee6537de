import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { EXIT_CODES } from '../../../src/cli/exit.ts';
import { fill, openShop, type Shop } from '../../support/cli.ts';
import { runLine, runSteps, stepsOf } from '../../support/pages.ts';
import { createTopic, pens, sendRaw } from '../../support/topics.ts';

/** docs/production.md, and the units that it installs: what needs no root, no systemd and no Docker is run. */
const ROOT = path.resolve(import.meta.dirname, '../../..');
const PAGE = stepsOf('docs/production.md');
const NEED_ROOT = ['As a service', 'In a container', 'Upgrade'];
/** Tried where there is one: test/kafka/secure.test.ts. */
const SECURED = 'On a secured Kafka';
const unit = (name: string): string => fs.readFileSync(path.join(ROOT, 'deploy/systemd', name), 'utf8');

async function shopOfSeven(): Promise<Shop> {
  const shop = openShop();
  fill(shop, { alice: 'paid' }, { pen: 50 });
  await createTopic(shop.topic, 1);
  await sendRaw(shop.topic, pens('a', 7));
  return shop;
}

async function runUnder(shop: Shop, title: string): Promise<string> {
  const steps = PAGE.get(title) ?? [];
  expect(steps.length, title).toBeGreaterThan(0);
  return runSteps(shop, steps);
}

describe('docs/production.md', () => {
  test('Backup, beside a consumer', async () => {
    const shop = await shopOfSeven();
    const consumer = shop.start('consume');
    await consumer.says(/accepted a-6/);
    await runUnder(shop, 'Backup');
    const { items } = await shop.json(`inventory show --storage ${path.join(shop.folder, 'backups/today')}`);
    expect(items).toMatchObject([{ item: 'pen', quantity: 43 }]);
  });

  test('Monitoring', async () => {
    const shop = await shopOfSeven();
    await shop.ok('consume --until-end');
    await runUnder(shop, 'Monitoring');
  });

  test('Moving to another machine', async () => {
    const shop = await shopOfSeven();
    await shop.ok('consume --until-end');
    await sendRaw(shop.topic, pens('b', 3));
    const said = await runUnder(shop, 'Moving to another machine');
    expect(said).toMatch(/^read 3 records: 3 accepted, 0 rejected, 0 duplicates/m);
    expect(fs.readFileSync(path.join(shop.folder, 'moved/inventory.csv'), 'utf8')).toMatch(/pen,40/);
  });

  test('Several shops', async () => {
    const shop = openShop();
    // An empty variable counts as not set.
    const env = { ...shop.env, ORDERCTL_STORAGE: '', ORDERCTL_TOPIC: '', ORDERCTL_GROUP: '' };
    const said = await runUnder({ ...shop, env }, 'Several shops');
    expect(said).toMatch(/topic +north\.orders +.*north\.json/);
    expect(fs.readFileSync(path.join(shop.folder, 'north/inventory.csv'), 'utf8')).toMatch(/book,10/);
  });

  test('has no command that is not tried, but those that need root', () => {
    const titles = [...PAGE].filter(([, steps]) => steps.length > 0).map(([title]) => title);
    expect(titles).toEqual([
      'As a service',
      SECURED,
      'In a container',
      'Backup',
      'Monitoring',
      'Upgrade',
      'Moving to another machine',
      'Several shops',
    ]);
    expect(titles.filter((title) => NEED_ROOT.includes(title))).toEqual(NEED_ROOT);
  });
});

describe('deploy/systemd', () => {
  test('the service starts again after what may pass by itself, and after nothing else', () => {
    const [, prevented = ''] = /^RestartPreventExitStatus=(.*)$/m.exec(unit('orderctl@.service')) ?? [];
    const needsSomebody = ['usage', 'not_found', 'already_exists', 'audit_mismatch'] as const;
    const mayPass = ['bug', 'broker_unreachable', 'write_failed'] as const;
    const listed = prevented.split(' ').map(Number);
    expect(listed.sort()).toEqual([...new Set(needsSomebody.map((code) => EXIT_CODES[code]))].sort());
    for (const code of mayPass) expect(listed).not.toContain(EXIT_CODES[code]);
  });

  test('the backup copies, checks, and deletes what is old', async () => {
    const shop = await shopOfSeven();
    await shop.ok('consume --until-end');
    const backups = path.join(shop.folder, 'backups');
    for (const [name, days] of [
      ['old', 15],
      ['young', 13],
    ] as const) {
      fs.mkdirSync(path.join(backups, name), { recursive: true });
      const at = new Date(Date.now() - days * 86_400_000);
      fs.utimesSync(path.join(backups, name), at, at);
    }
    const [, script = ''] =
      /^ExecStart=\/bin\/sh -ec '(.*?)'$/ms.exec(unit('orderctl-backup@.service')) ?? [];
    expect(script).toContain('orderctl audit');
    const line = script.replaceAll('\\\n', '').replaceAll('%%', '%');
    const { code, stderr } = await runLine(
      { ...shop, env: { ...shop.env, BACKUPS: backups } },
      `set -e; ${line}`,
    );
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const [made, ...others] = fs.readdirSync(backups).sort();
    expect(others).toEqual(['young']);
    expect(fs.readFileSync(path.join(backups, made ?? '', 'inventory.csv'), 'utf8')).toMatch(/pen,43/);
  });

  test('systemd reads every unit without a remark', () => {
    const folder = fs.mkdtempSync(path.join(fs.realpathSync('/tmp'), 'orderctl-units-'));
    try {
      for (const name of fs.readdirSync(path.join(ROOT, 'deploy/systemd'))) {
        // The program of the unit need not be installed here.
        const text = unit(name).replace(/^ExecStart=orderctl/m, `ExecStart=${process.execPath}`);
        fs.writeFileSync(path.join(folder, name.replace('@', '@shop')), text);
      }
      const files = fs.readdirSync(folder).map((name) => path.join(folder, name));
      const { error, stderr, status } = spawnSync('systemd-analyze', ['verify', '--man=no', ...files], {
        encoding: 'utf8',
      });
      if (error !== undefined) return;
      expect({ status, stderr: stderr.split('\n').filter((line) => line.includes('orderctl')) }).toEqual({
        status: 0,
        stderr: [],
      });
    } finally {
      fs.rmSync(folder, { recursive: true, force: true });
    }
  });
});
