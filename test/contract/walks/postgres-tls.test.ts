import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Connection } from '../../../src/adapters/postgres/connection.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts';

/** An authority, a certificate of it for 127.0.0.1 alone, and another authority; all for a hundred years. */
const CERTIFICATES = path.resolve(import.meta.dirname, '../../support/certificates');
const CA = path.join(CERTIFICATES, 'ca.pem');
const OTHER = path.join(CERTIFICATES, 'other-ca.pem');

let server: TestPostgres;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-tls-'));
beforeAll(async () => {
  const key = path.join(folder, 'key.pem');
  fs.copyFileSync(path.join(CERTIFICATES, 'server-key.pem'), key);
  // PostgreSQL takes a key that root has only if its group may read it.
  fs.chmodSync(key, process.geteuid?.() === 0 ? 0o640 : 0o600);
  fs.chmodSync(folder, 0o755);
  if (process.geteuid?.() === 0) fs.chownSync(key, 0, 65_534);
  const ssl_cert_file = path.join(CERTIFICATES, 'server.pem');
  server = await startTestPostgres({ ssl: 'on', ssl_cert_file, ssl_key_file: key });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  fs.rmSync(folder, { recursive: true });
});

/** Whether a connection by such a URL uses TLS. */
async function usesTls(parameters: string, host = '127.0.0.1'): Promise<boolean | undefined> {
  const url = `${server.url.replace('127.0.0.1', host)}?${parameters}`;
  await using connection = await Connection.open({ url, password: null });
  const [row] = await connection.query<{ ssl: boolean }>(
    'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
  );
  return row?.ssl;
}

describe('TLS to the database', () => {
  test.each([
    ['', false],
    ['sslmode=disable', false],
    ['sslmode=require', true],
    [`sslmode=verify-ca&sslrootcert=${CA}`, true],
    [`sslmode=verify-full&sslrootcert=${CA}`, true],
    [`sslrootcert=${CA}`, true],
  ])('by %s', async (parameters, expected) => {
    expect(await usesTls(parameters)).toBe(expected);
  });

  test.each([
    [`sslmode=verify-full&sslrootcert=${OTHER}`, 'store_refused'],
    [`sslmode=verify-ca&sslrootcert=${OTHER}`, 'store_refused'],
    [`sslmode=require&sslrootcert=${OTHER}`, 'store_refused'],
    ['sslmode=verify-full', 'store_refused'],
    ['sslmode=prefer', 'invalid_value'],
    [`sslmode=disable&sslrootcert=${CA}`, 'invalid_value'],
    ['sslmode=verify-full&sslrootcert=/nowhere.pem', 'invalid_settings'],
    [`sslmode=verify-full&sslrootcert=${import.meta.filename}`, 'invalid_settings'],
  ])('is refused by %s', async (parameters, code) => {
    await expect(usesTls(parameters)).rejects.toMatchObject({ code });
  });

  test('a certificate for another host is refused by verify-full alone', async () => {
    const ca = `sslrootcert=${CA}`;
    await expect(usesTls(`sslmode=verify-full&${ca}`, 'localhost')).rejects.toMatchObject({
      code: 'store_refused',
      message: expect.stringContaining('TLS failed') as string,
    });
    expect(await usesTls(`sslmode=verify-ca&${ca}`, 'localhost')).toBe(true);
  });
});

test('a server without TLS is said to be one', async () => {
  await using plain = await startTestPostgres({ ssl: 'off' });
  const url = `${plain.url}?sslmode=require`;
  await expect(Connection.open({ url, password: null })).rejects.toMatchObject({
    code: 'store_refused',
    fix: expect.stringContaining('ssl = on') as string,
  });
});
