import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How long a stop waits for pending answers. */
const STOP_GRACE_MS = 500;

/** @returns `http://HOST:PORT` @throws the errors of node:net, EADDRINUSE first of all */
export async function listen(server: Server, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port: actual } = server.address() as AddressInfo;
  const name = host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${actual}`;
}

/** Resolves when the port is free. @returns false if the server was already stopped */
export async function stopListening(server: Server): Promise<boolean> {
  if (!server.listening) return false;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const timer = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS);
  await closed;
  clearTimeout(timer);
  return true;
}
