import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { pidOf, processes } from '../../../src/adapters/files/owner/processes.ts';
import { waitFor } from '../../support/wait.ts';

describe('a process by its identity', () => {
  it('lives while it runs, also when it is paused, and is dead after', async () => {
    const child = spawn('sleep', ['60']);
    const [space] = processes.self()?.split(`/${process.pid}/`) ?? [];
    const stat = await waitFor('the child', async () => {
      const { readFileSync } = await import('node:fs');
      return readFileSync(`/proc/${child.pid}/stat`, 'utf8');
    });
    const identity = `${space}/${child.pid}/${stat.split(' ')[21]}`;
    expect(pidOf(identity)).toBe(child.pid);
    expect(processes.stateOf(identity)).toBe('alive');
    child.kill('SIGSTOP');
    expect(processes.stateOf(identity)).toBe('alive');
    // A later process of the same number.
    expect(processes.stateOf(`${space}/${child.pid}/1`)).toBe('dead');
    child.kill('SIGKILL');
    await waitFor('its end', () => processes.stateOf(identity) === 'dead');
  });

  it('is itself, and not known where nobody can see it', () => {
    const self = processes.self() ?? '';
    expect(pidOf(self)).toBe(process.pid);
    expect(processes.stateOf(self)).toBe('alive');
    // Another start of the machine, another container, another system's way to write it.
    for (const other of [`x${self}`, self.replace('pid:[', 'pid:[1'), '', 'nonsense', '1/2/3']) {
      expect(processes.stateOf(other)).toBe('unknown');
    }
  });
});
