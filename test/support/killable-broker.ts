import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach } from 'vitest';

import { bundled } from './bundled.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface KillableBroker {
  readonly address: string;
  /** Ends it by SIGKILL and restarts it under the same address, with its data. */
  killAndRestart(): Promise<void>;
}

/** Brokers in processes of their own, each on its own data folder, which end with the test. */
export function killableBrokers(): () => Promise<KillableBroker> {
  const folder = temporaryFolder();
  const children: ChildProcess[] = [];
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  const run = async (script: string, port: number, dataDir: string) => {
    const child = fork(script, [String(port), dataDir], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    children.push(child);
    const gone = once(child, 'exit').then(() => Promise.reject(new Error('the broker ended at its start')));
    const [listening] = (await Promise.race([once(child, 'message'), gone])) as [number];
    gone.catch(() => undefined);
    return { child, port: listening };
  };

  return async () => {
    const dataDir = folder();
    const script = path.join(folder(), 'run.mjs');
    fs.writeFileSync(
      script,
      `${await bundled('dev-broker/dev-broker.ts')}
       const broker = await startDevBroker({ port: Number(process.argv[2]), dataDir: process.argv[3] });
       process.send(broker.port);`,
    );
    let { child, port } = await run(script, 0, dataDir);
    return {
      address: `127.0.0.1:${port}`,
      async killAndRestart() {
        child.kill('SIGKILL');
        await once(child, 'exit');
        ({ child, port } = await run(script, port, dataDir));
      },
    };
  };
}
