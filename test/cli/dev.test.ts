import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { closedPort } from '../support/closed-port.ts';
import { failureOf, fill, openShop, type Running, type Shop } from '../support/cli.ts';
import { expectValidated } from '../support/documents.ts';
import { waitFor } from '../support/wait.ts';

interface Addresses {
  readonly broker: string;
  readonly registry: string;
  readonly data: string;
  readonly pid: number;
}

/** Starts `orderctl dev` in the shop's folder, on free ports unless some are given. */
async function startDev(shop: Shop, args = ''): Promise<{ dev: Running; addresses: Addresses }> {
  const ports = args.includes('port') ? '' : '--port 0 --registry-port 0';
  const dev = shop.start(`dev ${ports} ${args} -o json`);
  await waitFor('addresses', dev.stdout, (text) => text.endsWith('\n'));
  return { dev, addresses: JSON.parse(dev.stdout()) as Addresses };
}

function toUse({ broker, registry }: Addresses): { env: Record<string, string> } {
  return { env: { ORDERCTL_BROKERS: broker, ORDERCTL_REGISTRY: registry } };
}

function portOf(address: string): string {
  return new URL(address.includes('//') ? address : `tcp://${address}`).port;
}

async function stop(dev: Running, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  dev.signal(signal);
  const { code, stderr } = await dev.exited;
  expect(code, stderr).toBe(0);
}

it('orders go through it, and are there after a kill -9 and a restart', async () => {
  const shop = openShop();
  const { dev, addresses } = await startDev(shop);
  expect(addresses).toEqual({
    broker: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
    registry: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
    gateway: null,
    data: path.join(shop.folder, '.orderctl-dev'),
    pid: dev.pid,
  });
  fill(shop, { alice: 'paid' }, { pen: 50 });
  await shop.ok('produce --count 3', toUse(addresses));
  const [first] = await shop.lines('consume --until-end', toUse(addresses));
  expect(first).toMatchObject({ read: 3, accepted: 3 });
  await shop.ok('produce --count 2', toUse(addresses));
  dev.signal('SIGKILL');
  await dev.exited;
  expectValidated('dev');

  const ports = `--port ${portOf(addresses.broker)} --registry-port ${portOf(addresses.registry)}`;
  const { dev: again, addresses: same } = await startDev(shop, ports);
  expect(same).toMatchObject({ broker: addresses.broker, registry: addresses.registry });
  const subjects = await fetch(`${same.registry}/subjects`);
  expect(await subjects.json()).toEqual([`${shop.topic}-value`, 'inventory-events-value']);
  const [rest] = await shop.lines('consume --until-end', toUse(same));
  expect(rest).toMatchObject({ read: 2, accepted: 2, duplicates: 0, dead_lettered: 0 });
  await stop(again);
});

it.each(['SIGINT', 'SIGTERM'] as const)('says how to connect, and stops by %s', async (signal) => {
  const shop = openShop();
  const [port, registryPort] = [await closedPort(), await closedPort()];
  const dev = shop.start(`dev --port ${port} --registry-port ${registryPort}`);
  await waitFor('its last line', dev.stdout, (text) => text.includes('Ctrl-C stops everything.\n'));
  const said = dev.stdout();
  expect(said).toContain(`broker    127.0.0.1:${port}\nregistry  http://127.0.0.1:${registryPort}\n`);
  expect(said).toContain('.orderctl-dev');
  expect(said).toContain(`export ORDERCTL_BROKERS=127.0.0.1:${port}\n`);
  expect(said).toContain(`export ORDERCTL_REGISTRY=http://127.0.0.1:${registryPort}\n`);
  expect(said).toContain('orderctl consume\n');
  expect(said).toMatch(/development only.*To scale, use a Kafka cluster/);
  // A client that holds on holds nothing up.
  const client = net.connect(port, '127.0.0.1');
  onTestFinished(() => void client.destroy());
  await new Promise((resolve) => client.once('connect', resolve));
  await stop(dev, signal);
  expect(dev.stderr()).toContain('stopped');
});

describe('refuses', () => {
  it('a data folder in use, and goes on where it is free again', async () => {
    const shop = openShop();
    const { dev } = await startDev(shop);
    const second = await shop.run('dev --port 0 --registry-port 0 -o json');
    expect(second).toMatchObject({ code: 4, stdout: '' });
    expect(failureOf(second)).toMatchObject({
      code: 'folder_in_use',
      message: expect.stringContaining(path.join(shop.folder, '.orderctl-dev')) as string,
      fix: expect.stringContaining('--data') as string,
    });
    await stop(dev);
    await stop((await startDev(shop)).dev);
  });

  it.each([
    ['--port', (taken: Addresses) => `--port ${portOf(taken.broker)} --registry-port 0`],
    ['--registry-port', (taken: Addresses) => `--port 0 --registry-port ${portOf(taken.registry)}`],
  ])('a %s in use, by its number', async (flag, args) => {
    const shop = openShop();
    const { addresses } = await startDev(shop);
    const ports = args(addresses);
    const second = await shop.run(`dev --data other ${ports} -o json`);
    expect(second).toMatchObject({ code: 4, stdout: '' });
    const failure = failureOf(second);
    expect(failure).toMatchObject({
      code: 'port_in_use',
      fix: expect.stringContaining(`${flag} N`) as string,
    });
    const number = /(\d{2,})/.exec(ports)?.[1] ?? '';
    expect(failure.message).toContain(`127.0.0.1:${number}`);
    // Nothing of it holds the folder.
    await stop((await startDev(shop, '--data other')).dev);
  });

  it.each([
    ['--port 65536', 2, 'invalid_value'],
    ['--registry-port x', 2, 'invalid_value'],
    ['--port 0 --registry-port 0 --host 192.0.2.1', 2, 'invalid_value'],
    ['--prot 1', 2, 'usage'],
  ])('%s', async (args, code, failure) => {
    const result = await openShop().run(`dev ${args} -o json`);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(failureOf(result)).toMatchObject({ code: failure });
  });

  it.each([
    ['that is a file', 'data', 'remove the file of that name'],
    // Not even root can make a file there, so that the lock is what fails, a socket as the port has one.
    ['that cannot be written', 'locked', ''],
  ])('a data folder %s, by its name', async (_, data, fix) => {
    const shop = openShop();
    fs.writeFileSync(path.join(shop.folder, 'data'), '');
    fs.mkdirSync(path.join(shop.folder, 'locked'));
    fs.symlinkSync('/proc/self', path.join(shop.folder, 'locked/broker'));
    const result = await shop.run(`dev --port 0 --registry-port 0 --data ${data} -o json`);
    expect(result).toMatchObject({ code: 7, stdout: '' });
    const failure = failureOf(result);
    expect(failure).toMatchObject({ code: 'write_failed' });
    expect(failure.message).toContain(`the data folder ${path.join(shop.folder, data)} cannot be used`);
    expect(failure.fix).toContain(fix);
    expect(failure.fix).toMatch(/or use another with --data DIR$/);
  });

  it('a damaged registry, naming the line', async () => {
    const shop = openShop();
    const { dev, addresses } = await startDev(shop);
    for (const compatibility of ['FULL', 'NONE']) {
      await fetch(`${addresses.registry}/config`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ compatibility }),
      });
    }
    await stop(dev);
    const file = path.join(addresses.data, 'registry/registry.log');
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('FULL', 'FALL'));
    const result = await shop.run('dev --port 0 --registry-port 0 -o json');
    expect(result.code).toBe(6);
    expect(failureOf(result)).toMatchObject({ code: 'corrupt_state' });
    expect(failureOf(result).message).toContain(`${file}:1`);
  });
});

it('warns of an address that others can reach', async () => {
  const shop = openShop();
  const dev = shop.start('dev --port 0 --registry-port 0 --host 0.0.0.0');
  await waitFor('its last line', dev.stdout, (text) => text.includes('Ctrl-C stops everything.\n'));
  expect(dev.stderr()).toContain('warning: any client that can connect to 0.0.0.0');
  expect(dev.stdout()).toMatch(/^broker {4}127\.0\.0\.1:\d+\nregistry {2}http:\/\/127\.0\.0\.1:\d+\n/);
  await stop(dev);
});
