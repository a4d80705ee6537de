import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** Between a client and a server, to lose answers. */
export interface CuttingProxy {
  readonly port: number;
  /**
   * The next request with this text reaches the server, but its answer reaches nobody: both sides lose the connection.
   *
   * @param meanwhile runs after the server has handled the request, and before the connections end
   */
  cutAfter(text: string, meanwhile?: () => Promise<void>): void;
  /** From now on, bytes sent in either direction are dropped silently, and no connection is accepted. */
  vanish(): void;
  /** How many answers were dropped. */
  readonly cuts: () => number;
}

/** Long enough for a server to carry out the request. */
const ANSWER_MS = 300;

export async function startCuttingProxy(to: { host: string; port: number }): Promise<CuttingProxy> {
  let wanted: { text: string; meanwhile: () => Promise<void> } | null = null;
  let cuts = 0;
  const lost = new Set<net.Socket>();
  const open = new Set<net.Socket>();
  const server = net.createServer((client) => {
    const upstream = net.connect(to);
    let isCut = false;
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    open.add(client);
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
    client.on('data', (bytes) => {
      if (lost.has(client)) return;
      upstream.write(bytes);
      if (wanted === null || !bytes.includes(wanted.text)) return;
      const { meanwhile } = wanted;
      wanted = null;
      cuts += 1;
      isCut = true;
      setTimeout(() => void meanwhile().finally(end), ANSWER_MS);
    });
    upstream.on('data', (bytes) => {
      if (!isCut && !lost.has(client)) client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const client of open) client.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    // When closed, the server accepts no connections, but keeps the existing ones.
    vanish: () => {
      for (const client of open) lost.add(client);
      server.close();
    },
    cutAfter: (text, meanwhile = async () => undefined) => {
      wanted = { text, meanwhile };
    },
    cuts: () => cuts,
  };
}
