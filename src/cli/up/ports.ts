import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { Failure } from '../../domain/failure.ts';

/** On this machine, a program that listens answers at once. */
const CONNECT_MS = 500;

/**
 * Below the ports that systems assign to outgoing connections: otherwise a client that tries to reach a server that has
 * not started yet would now and then be assigned the server's own port and so block it.
 */
const FREE_PORTS = { from: 20_000, to: 32_000 };

/**
 * Checks before anything is created that a port is free: usually another shop uses it, whose broker would then be used.
 *
 * @param flags the flags that choose another port
 * @throws Failure port_in_use
 */
export async function checkFree(port: number, flags: string): Promise<void> {
  if (port === 0 || !(await answers(`127.0.0.1:${port}`))) return;
  throw new Failure('port_in_use', `another program listens on 127.0.0.1:${port}, perhaps another shop`, {
    fix: `stop it; or give this shop its own: ${flags}`,
  });
}

/** The port of `HOST:PORT` or a URL. */
export function portIn(address: string): number {
  return Number(new URL(address.includes('://') ? address : `tcp://${address}`).port);
}

/** Replaces each 0 with a different free port of this machine. */
export async function freeWhereZero(ports: readonly number[]): Promise<number[]> {
  const found: number[] = [];
  for (const port of ports) {
    let free = port;
    while (free === 0) {
      const tried = randomInt(FREE_PORTS.from, FREE_PORTS.to);
      if (!ports.includes(tried) && !found.includes(tried) && (await isFree(tried))) free = tried;
    }
    found.push(free);
  }
  return found;
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Whether a program listens on this address. */
export function answers(address: string): Promise<boolean> {
  const at = address.lastIndexOf(':');
  const socket = connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)) });
  socket.setTimeout(CONNECT_MS);
  return new Promise((resolve) => {
    const end = (found: boolean): void => {
      socket.destroy();
      resolve(found);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}
