import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

/**
 * Calls `read` repeatedly until `holds` accepts its result, and returns that.
 *
 * @throws Error after `timeoutMs`, with what was waited for and the last value or error
 */
export async function waitFor<T>(
  what: string,
  read: () => T | Promise<T>,
  holds: (value: T) => boolean = Boolean,
  { timeoutMs = 60_000, everyMs = 50 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: string;
  for (;;) {
    try {
      const value = await read();
      if (holds(value)) return value;
      last = `last value: ${typeof value === 'string' ? value : inspect(value, { depth: 6 })}`;
    } catch (error) {
      last = `last error: ${inspect(error)}`;
    }
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}; ${last}`);
    await sleep(everyMs);
  }
}
