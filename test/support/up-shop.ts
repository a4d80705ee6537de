import fs from 'node:fs';
import type { Experiment } from '../../src/documents/http/experiment.ts';
import type { Running, Shop } from './cli.ts';
import { waitFor } from './wait.ts';

export interface Up {
  readonly url: string;
  readonly brokers: string;
  readonly registry: string;
}

/** Starts `up` on free ports. */
export async function startUp(shop: Shop, args = ''): Promise<{ up: Running; addresses: Up }> {
  const up = shop.start(`up --port 0 --broker-port 0 --registry-port 0 ${args} -o json`);
  // Three processes start, and on a busy machine each needs its time.
  await waitFor('addresses', up.stdout, (text) => text.endsWith('\n'), { timeoutMs: 120_000 });
  return { up, addresses: JSON.parse(up.stdout()) as Up };
}

/** Runs `break` and returns its receipt. */
export async function breakShop({ built }: Shop, url: string, words: string): Promise<Experiment> {
  const { stdout, stderr } = await built.run(`break ${words} --url ${url} -o json`, { timeoutMs: 200_000 });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Experiment;
}

/** The processes that `up` started, by their command; those of `command`, by the arguments after it. */
export function childrenOf(pid: number, command?: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const name of fs.readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const words = fs.readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      const stat = fs.readFileSync(`/proc/${name}/stat`, 'utf8');
      if (Number(stat.split(') ')[1]?.split(' ')[1]) !== pid) continue;
      if (command === undefined) found.set(words[2] ?? '', Number(name));
      else if (words[2] === command) found.set(words[3] ?? '', Number(name));
    } catch {
      // It has exited meanwhile.
    }
  }
  return found;
}
