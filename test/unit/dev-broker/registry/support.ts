import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import {
  startDevRegistry,
  type DevRegistry,
  type DevRegistryOptions,
} from '../../../../src/dev-broker/registry/server.ts';

export function tempFolder(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-registry-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed. */
  readonly body: unknown;
}

export type Ask = (method: string, path: string, body?: unknown) => Promise<Answer>;

/** A registry of the test's own in a fresh folder, and how to ask it. */
export async function openRegistry(
  options: Partial<DevRegistryOptions> = {},
): Promise<{ registry: DevRegistry; dataDir: string; ask: Ask }> {
  const dataDir = options.dataDir ?? tempFolder();
  const registry = await startDevRegistry({ port: 0, ...options, dataDir });
  onTestFinished(() => registry.stop());
  const ask: Ask = async (method, route, body) => {
    const response = await fetch(registry.url + route, {
      method,
      ...(body === undefined
        ? {}
        : {
            headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
            body: typeof body === 'string' ? body : JSON.stringify(body),
          }),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  return { registry, dataDir, ask };
}

/** The body that brings a schema. */
export function given(schema: unknown, rest: object = {}): object {
  return { schema: JSON.stringify(schema), ...rest };
}

export function record(...fields: object[]): object {
  return { type: 'record', name: 'R', fields };
}

export const A = { name: 'a', type: 'int' };
export const B = { name: 'b', type: 'string', default: '' };
