import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { absent, python, runs } from './peers.ts';

const SERVER = path.resolve(import.meta.dirname, '../e2e/peers/s3.py');

export const withoutS3 = absent(
  'moto, a server of S3',
  () => runs(python, ['-c', 'import moto.server']),
  'pip install -r test/e2e/peers/requirements.txt in a venv, and set ORDERCTL_TEST_PYTHON to its python',
);

/** A server with a bucket `shop`, and a user with access to it, until the test is over. */
export async function startS3(): Promise<{
  readonly AWS_ENDPOINT_URL: string;
  readonly AWS_ACCESS_KEY_ID: string;
  readonly AWS_SECRET_ACCESS_KEY: string;
}> {
  const server = spawn(python, [SERVER], { stdio: ['pipe', 'pipe', 'ignore'] });
  onTestFinished(() => void server.stdin.end());
  for await (const line of createInterface(server.stdout)) {
    const { endpoint, key, secret } = JSON.parse(line) as Record<'endpoint' | 'key' | 'secret', string>;
    return { AWS_ENDPOINT_URL: endpoint, AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret };
  }
  throw new Error(`${SERVER} printed no address`);
}
