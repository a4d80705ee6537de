import fs from 'node:fs';
import http from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { serve, shopWith } from '../../support/serve.ts';
import { waitFor } from '../../support/wait.ts';

function residentMb(pid: number): number {
  const [, kilobytes = '0'] = /VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

test.skipIf(!fs.existsSync('/proc/self/status'))(
  'a thousand who listen, of whom half never read, neither stop the server nor make it grow',
  { timeout: 180_000 },
  async () => {
    const shop = shopWith({ pen: 1_000_000 });
    const { call, url, server } = await serve(shop.built);
    const consumer = shop.start('consume --quiet');
    let received = 0;
    const agent = new http.Agent({ maxSockets: Infinity });
    onTestFinished(() => agent.destroy());
    for (let n = 0; n < 1_000; n += 1) {
      await new Promise<void>((resolve, reject) => {
        const request = http.get(`${url}/events`, { agent }, (response) => {
          response.on('error', () => undefined);
          if (n % 2 === 0) response.on('data', (chunk: Buffer) => (received += chunk.length));
          resolve();
        });
        request.on('error', reject);
      });
    }
    const before = residentMb(server.pid);
    const began = received;
    const count = 5_000;
    await shop.ok(`produce --count ${count} --user alice --item pen --quantity 1 --quiet`);
    await waitFor(
      'the decisions',
      () => call('GET', '/overview'),
      ({ body }) => (body as { books: { accepted: number } | null }).books?.accepted === count,
      { timeoutMs: 90_000 },
    );
    await waitFor(
      'events',
      () => received,
      (bytes) => bytes > began + 500 * 10_000,
      { timeoutMs: 90_000 },
    );
    expect((await call('GET', '/healthz')).status).toBe(200);
    expect(residentMb(server.pid) - before).toBeLessThan(150);
    consumer.signal('SIGTERM');
    await consumer.exited;
  },
);
