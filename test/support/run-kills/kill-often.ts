import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Shop } from '../cli.ts';
import type { KillableCluster } from './cluster.ts';

/** Long enough for a start, joining and a second of full flow. */
const LONGEST_LIFE_MS = 2_500;
/** In each seventh life, the broker is killed under the run before the run is. */
const BROKER_EVERY = 7;

/** What a run prints about the orders that it has read. */
const HAS_DECIDED = /^(accepted|warning: order) /m;

export interface KillPlan {
  readonly shop: Shop;
  readonly cluster: KillableCluster;
  readonly command: string;
  readonly kills: number;
  readonly random: () => number;
  /** What is done before a life, and what else happens during it. */
  readonly feed: () => Promise<void>;
  readonly beside: () => Promise<unknown>;
  /** Sometimes damages something else that the run needs. @returns whether it did */
  readonly hurt?: () => Promise<boolean>;
}

/** Runs a command and kills it by SIGKILL at a random moment of its life, again and again. */
export async function killOften({ shop, cluster, command, kills, random, ...does }: KillPlan): Promise<void> {
  for (let kill = 0; kill < kills; kill += 1) {
    await does.feed();
    const run = shop.start(command);
    const lifeMs = random() * LONGEST_LIFE_MS;
    await sleep(lifeMs / 2);
    if (random() < 0.4) await does.beside();
    const isBrokerKilled = kill % BROKER_EVERY === BROKER_EVERY - 1;
    if (isBrokerKilled) await cluster.killAndRestart();
    const isHurt = (await does.hurt?.()) ?? false;
    await sleep(lifeMs / 2);
    run.signal('SIGKILL');
    const { signal, code, stderr } = await run.exited;
    // A run that was about to start may exit, as it does without a broker or database.
    if ((isBrokerKilled || isHurt) && code === 5 && !HAS_DECIDED.test(stderr)) continue;
    expect(signal, `kill ${kill}: it had left with ${code}: ${stderr}`).toBe('SIGKILL');
  }
}
