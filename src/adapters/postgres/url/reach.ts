import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isLost } from '../failures.ts';

/** How long an answer is waited for before it is asked whether its server is there, and between two such questions. */
const LOOK_MS = 5_000;
/** How long a server that is there may take to accept a connection. */
const ACCEPT_MS = 5_000;

/** The other side of a connection; without an address it is on this machine, and does not vanish. */
export interface Peer {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** What a statement fails with then. */
export function vanished(): Error {
  const error = new Error('the server has vanished: it takes no connections any more');
  return Object.assign(error, { code: 'ETIMEDOUT' });
}

/**
 * While an answer is waited for, asks now and then whether its server still takes connections. What was sent to one that has
 * vanished the system sends again for a quarter of an hour before it gives up: keepalive is for connections on which nothing is
 * under way, and Node has nothing like libpq's tcp_user_timeout. A limit on statements would end those that take long: to this
 * their server answers.
 *
 * @param onVanished called once: the answer will not come
 */
export async function watched<T>(answer: Promise<T>, peer: Peer, onVanished: () => void): Promise<T> {
  const over = new AbortController();
  const timer = setTimeout(() => void look(peer, over.signal, onVanished), LOOK_MS);
  try {
    return await answer;
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

async function look(peer: Peer, over: AbortSignal, onVanished: () => void): Promise<void> {
  // Asked twice: a process that was held up looks at the time of the first before it hears that it was accepted.
  while ((await accepts(peer, over)) || (await accepts(peer, over))) {
    // It ends at once when the answer comes.
    await sleep(LOOK_MS, undefined, { signal: over }).catch(() => undefined);
    if (over.aborted) return;
  }
  if (!over.aborted) onVanished();
}

function accepts({ remoteAddress: host, remotePort: port }: Peer, over: AbortSignal): Promise<boolean> {
  if (host === undefined || port === undefined) return Promise.resolve(true);
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: ACCEPT_MS, signal: over });
    const end = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket
      .on('connect', () => end(true))
      .on('timeout', () => end(false))
      // What is wrong with this process, as too many open files, says nothing of the server.
      .on('error', (error) => end(!isLost(error)));
  });
}
