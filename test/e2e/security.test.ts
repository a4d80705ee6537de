import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../deploy/kafka/services.mjs';
import { failureOf, fill, finish, observe, openShop } from '../support/cli.ts';
import { isEmbedded, startSecureBroker } from '../support/cluster.ts';
import { testRegistry } from '../support/topics.ts';

const PASSWORD = 'not-a-real-pass-phrase';

async function must(command: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await finish(observe(spawn(command, args), command), command, 60_000);
  if (code !== 0) throw new Error(`${command} ended with ${code ?? 'a signal'}: ${stdout}${stderr}`);
  return stdout;
}

/** A certificate for this machine: as the broker's key store, and in PEM for those who shall trust it. */
async function makeCertificate(folder: string): Promise<{ keystore: string; pem: string }> {
  const keystore = path.join(folder, 'broker.p12');
  const store = ['-keystore', keystore, '-storepass', PASSWORD, '-alias', 'broker'];
  await must('keytool', [
    '-genkeypair',
    '-keyalg',
    'RSA',
    '-dname',
    'CN=localhost',
    '-ext',
    'san=ip:127.0.0.1',
    '-storetype',
    'PKCS12',
    ...store,
  ]);
  const pem = path.join(folder, 'broker.pem');
  fs.writeFileSync(pem, await must('keytool', ['-exportcert', '-rfc', ...store]));
  return { keystore, pem };
}

// The embedded broker has no TLS: it listens on this machine alone.
test.skipIf(isEmbedded)(
  'TLS and SASL: PLAIN and SCRAM count, a wrong password is 5, no secret is ever printed',
  { timeout: 180_000 },
  async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-tls-'));
    onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
    const { keystore, pem } = await makeCertificate(folder);
    const port = await freePort();
    const jaas = 'org.apache.kafka.common.security';
    const broker = await startSecureBroker({
      port,
      protocol: 'SASL_SSL',
      properties: `
listener.name.secure.ssl.keystore.type=PKCS12
listener.name.secure.ssl.keystore.location=${keystore}
listener.name.secure.ssl.keystore.password=${PASSWORD}
listener.name.secure.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256
listener.name.secure.plain.sasl.jaas.config=${jaas}.plain.PlainLoginModule required user_shop="${PASSWORD}";
listener.name.secure.scram-sha-256.sasl.jaas.config=${jaas}.scram.ScramLoginModule required;
`,
    });
    const tool = path.resolve(import.meta.dirname, '../../deploy/kafka/kafka.mjs');
    await must(process.execPath, [
      tool,
      'tool',
      'configs',
      '--bootstrap-server',
      broker.address,
      '--alter',
      '--entity-type',
      'users',
      '--entity-name',
      'scram-shop',
      '--add-config',
      `SCRAM-SHA-256=[password=${PASSWORD}]`,
    ]);

    const passwordFile = path.join(folder, 'password');
    fs.writeFileSync(passwordFile, `${PASSWORD}\n`, { mode: 0o600 });
    const shop = openShop({
      ORDERCTL_BROKERS: `127.0.0.1:${port}`,
      ORDERCTL_TLS_CA: pem,
      ORDERCTL_SASL_MECHANISM: 'plain',
      ORDERCTL_SASL_USERNAME: 'shop',
    });
    fill(shop, { alice: 'paid' }, { pen: 5 });
    const withPassword = { env: { ORDERCTL_SASL_PASSWORD: PASSWORD } };
    await shop.ok('produce --user alice --item pen --quantity 1', withPassword);
    const [plain] = await shop.lines('consume --until-end', withPassword);
    expect(plain).toMatchObject({ accepted: 1 });

    const scram = {
      env: {
        ORDERCTL_SASL_MECHANISM: 'scram-sha-256',
        ORDERCTL_SASL_USERNAME: 'scram-shop',
        ORDERCTL_SASL_PASSWORD_FILE: passwordFile,
      },
    };
    await shop.ok('produce --user alice --item pen --quantity 1', scram);
    expect((await shop.lines('consume --until-end', scram))[0]).toMatchObject({ accepted: 1 });

    const wrong = await shop.run('consume --until-end -o json --log-level debug', {
      env: { ORDERCTL_SASL_PASSWORD: `${PASSWORD}-wrong` },
    });
    expect(wrong.code, wrong.stderr).toBe(5);
    expect(failureOf(wrong)).toMatchObject({ code: 'broker_refused' });
    expect(wrong.stdout + wrong.stderr).not.toContain(PASSWORD);

    // Nobody vouches for that certificate.
    const stranger = await shop.run('consume --until-end -o json', {
      env: { ...withPassword.env, ORDERCTL_TLS: 'true', ORDERCTL_TLS_CA: '' },
    });
    expect(stranger.code, stranger.stderr).toBe(5);

    fs.chmodSync(passwordFile, 0o644);
    const readable = await shop.run('consume --until-end -o json', scram);
    expect(readable.code, readable.stderr).toBe(2);
    expect(readable.stderr).toContain(passwordFile);
    expect(readable.stderr).not.toContain(PASSWORD);
  },
);

/** The registry of this run behind a door that asks for a password. */
async function guardedRegistry(): Promise<string> {
  const target = new URL(testRegistry());
  const expected = `Basic ${Buffer.from(`shop:${PASSWORD}`).toString('base64')}`;
  const server = http.createServer((request, response) => {
    if (request.headers.authorization !== expected) {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end('{"error_code":401,"message":"Unauthorized"}');
      return;
    }
    const headers = { ...request.headers };
    delete headers.authorization;
    const onward = http.request(
      { host: target.hostname, port: target.port, path: request.url, method: request.method, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    request.pipe(onward);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${target.pathname}`;
}

test('a registry with credentials: read and written with them, refused with 5 without', async () => {
  const shop = openShop({
    ORDERCTL_REGISTRY: await guardedRegistry(),
    ORDERCTL_REGISTRY_USERNAME: 'shop',
  });
  fill(shop, { alice: 'paid' }, { pen: 5 });
  const right = { env: { ORDERCTL_REGISTRY_PASSWORD: PASSWORD } };
  await shop.ok('produce --user alice --item pen --quantity 1', right);
  const wrong = { env: { ORDERCTL_REGISTRY_PASSWORD: `${PASSWORD}-wrong` } };
  for (const args of ['produce -o json', 'consume --until-end -o json']) {
    const refused = await shop.run(args, wrong);
    expect(refused.code, `${args}: ${refused.stderr}`).toBe(5);
    expect(failureOf(refused), args).toMatchObject({ code: 'registry_refused' });
    expect(refused.stdout + refused.stderr).not.toContain(PASSWORD);
  }
  const [summary] = await shop.lines('consume --until-end', right);
  expect(summary).toMatchObject({ accepted: 1, dead_lettered: 0 });
});
