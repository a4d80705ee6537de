import { spawn } from 'node:child_process';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect } from 'vitest';
import { finish, observe, type Shop } from './cli.ts';

const BINARY = path.resolve(import.meta.dirname, '../../bin/orderctl');

/**
 * Runs the built binary on a pseudo-terminal of 80 columns and 24 rows, Linux only: its output, and that without
 * colours.
 */
export async function onTerminal(shop: Shop, args: string): Promise<{ text: string; coloured: string }> {
  const command = `stty cols 80 rows 24; '${process.execPath}' '${BINARY}' ${args}`;
  const env: Record<string, string | undefined> = { ...process.env, ...shop.env, TERM: 'xterm' };
  delete env.NO_COLOR;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: shop.folder,
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const { code, stdout } = await finish(observe(child, 'script'), args, 60_000);
  expect(code, stdout).toBe(0);
  const coloured = stdout.replaceAll('\r\n', '\n');
  return { text: stripVTControlCharacters(coloured), coloured };
}
