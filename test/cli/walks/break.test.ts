import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openShop } from '../../support/cli.ts';
import { closedPort } from '../../support/closed-port.ts';
import { tries } from '../../support/effort.ts';
import { expectValidated } from '../../support/documents.ts';
import { breakShop, startUp } from '../../support/up-shop.ts';

/** Without a browser, and with the name of another site. */
function postAs(host: string, url: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { host, 'content-type': 'application/json' };
    const request = http.request(url, { method: 'POST', headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', reject);
    request.end(body);
  });
}

test('each break of a shop leaves a receipt, and balanced books', { timeout: 400_000 }, async () => {
  const shop = openShop();
  const { up, addresses } = await startUp(shop);
  const { url } = addresses;
  const file = path.join(shop.storage, 'experiments.jsonl');
  expect(await shop.built.run(`break earthquake --url ${url}`)).toMatchObject({ code: 2 });
  // From other machines, and by pages of other sites whose name leads to this one, nothing is broken.
  const body = JSON.stringify({ kind: 'kill-shop' });
  expect(await postAs('shop.example', `${url}/experiments`, body)).toBe(400);
  expect(fs.existsSync(file)).toBe(false);

  const killing = breakShop(shop, url, 'kill-shop --seed 42');
  await up.says(/run \(\d+\) was ended by SIGKILL/);
  // One at a time.
  expect(await postAs('localhost', `${url}/experiments`, body)).toBe(409);
  expect(await killing).toMatchObject({ kind: 'kill-shop', seed: 42, ok: true, differences: 0 });
  const kinds = ['garbage', 'last-one', 'kill-api', 'gateway-loses'].slice(0, tries(4, 1));
  for (const kind of kinds) {
    const receipt = await breakShop(shop, url, `${kind} --seed 7`);
    expect(receipt, JSON.stringify(receipt)).toMatchObject({ kind, ok: true, differences: 0, problem: null });
  }
  const lines = fs.readFileSync(file, 'utf8').trimEnd().split('\n');
  const receipts = lines.map((line) => JSON.parse(line) as { kind: string });
  expect(receipts.map(({ kind }) => kind)).toEqual(['kill-shop', ...kinds]);
  expectValidated('break');
  const listed = (await (await fetch(`${url}/experiments`)).json()) as { experiments: object[] };
  expect(listed).toMatchObject({ available: true, running: null });
  expect(listed.experiments).toEqual(receipts.toReversed());
  up.signal('SIGINT');
  expect(await up.exited).toMatchObject({ code: 0 });
  await shop.ok('audit');
});

test('where no "up" serves there is nothing to break', async () => {
  const shop = openShop();
  const missing = await shop.run(`break kill-shop --url http://127.0.0.1:${await closedPort()}`);
  expect(missing).toMatchObject({ code: 3 });
  expect(missing.stderr).toContain('orderctl up');
});
