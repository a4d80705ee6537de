import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isLost } from '../failures.ts';

/** How long to wait for an answer before checking whether its server is reachable, and between two such checks. */
const CHECK_MS = 5_000;
/** How long a reachable server may take to accept a connection. */
const ACCEPT_MS = 5_000;

/** The other side of a connection; without an address it is on this machine, and does not vanish. */
export interface Peer {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** The error of a statement whose server has vanished. */
export function vanished(): Error {
  const error = new Error('the server has vanished: it no longer accepts connections');
  return Object.assign(error, { code: 'ETIMEDOUT' });
}

/**
 * While an answer is awaited, checks now and then whether its server still accepts connections. If the server has
 * vanished, the operating system resends the data for a quarter of an hour before it gives up: keepalive applies only
 * to idle connections, and Node has nothing like libpq's tcp_user_timeout. A time limit would end statements that
 * take long but whose servers are still reachable.
 *
 * @param onVanished called once: the answer will not arrive
 */
export async function watched<T>(answer: Promise<T>, peer: Peer, onVanished: () => void): Promise<T> {
  const over = new AbortController();
  const timer = setTimeout(() => void check(peer, over.signal, onVanished), CHECK_MS);
  try {
    return await answer;
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

async function check(peer: Peer, over: AbortSignal, onVanished: () => void): Promise<void> {
  // Tried twice: a process that was suspended sees the timeout of the first before it learns that it was accepted.
  while ((await accepts(peer, over)) || (await accepts(peer, over))) {
    // Ends at once when the answer arrives.
    await sleep(CHECK_MS, undefined, { signal: over }).catch(() => undefined);
    if (over.aborted) return;
  }
  if (!over.aborted) onVanished();
}

function accepts({ remoteAddress: host, remotePort: port }: Peer, over: AbortSignal): Promise<boolean> {
  if (host === undefined || port === undefined) return Promise.resolve(true);
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: ACCEPT_MS, signal: over });
    const end = (isReachable: boolean): void => {
      socket.destroy();
      resolve(isReachable);
    };
    socket
      .on('connect', () => end(true))
      .on('timeout', () => end(false))
      // An error of this process, such as too many open files, says nothing about the server.
      .on('error', (error) => end(!isLost(error)));
  });
}
