import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** Between a client and a server, to take answers away. */
export interface CuttingProxy {
  readonly port: number;
  /**
   * The next request that has this text comes to the server, its answer to nobody: both sides lose the connection.
   *
   * @param meanwhile once the server has done it, and before they do
   */
  cutAfter(text: string, meanwhile?: () => Promise<void>): void;
  /** From here on what is sent goes nowhere, in both directions and without a word, and nobody is let in. */
  vanish(): void;
  /** How often an answer was taken away. */
  readonly cuts: () => number;
}

/** Long enough for a server to do what it was asked. */
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
    // Closed, the server takes no connections; those that it has stay.
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
