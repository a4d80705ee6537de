import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '../../compose.ts';
import { Failure } from '../../domain/failure.ts';
import type { Session } from '../session.ts';
import { isDatabaseRunning } from './database.ts';

/** How long the processors of a killed `up` may take to finish their work. */
const LEAVING_MS = 5_000;
const LOOK_EVERY_MS = 200;

/**
 * Checks before anything is started that the folder is free: processors that cannot use it would be restarted again and
 * again, while the API accepts orders for them.
 *
 * @throws Failure folder_in_use: another process uses the folder and does not stop
 */
export async function checkIdle({ settings, printer }: Session): Promise<void> {
  const { storage } = settings;
  const access = await openStore(settings);
  const who = async (): Promise<string | null> => {
    const running = await access.consumerStatus();
    if (running !== null) return `process ${running.pid}`;
    return (await isDatabaseRunning(storage)) ? 'its PostgreSQL' : null;
  };
  const until = performance.now() + LEAVING_MS;
  for (let looks = 0; ; looks += 1) {
    const found = await who();
    if (found === null) return;
    if (performance.now() > until) {
      throw new Failure('folder_in_use', `${found} uses the shop in ${storage}`, {
        fix: 'stop it first; or name other folders with --store DIR and --data DIR',
      });
    }
    if (looks === 0) printer.info(`waiting for ${found}, which uses the shop in ${storage} ...`);
    await sleep(LOOK_EVERY_MS);
  }
}
