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
  /** How often that was done. */
  readonly cuts: () => number;
}

/** Long enough for a server to do what it was asked. */
const ANSWER_MS = 300;

export async function startCuttingProxy(to: { host: string; port: number }): Promise<CuttingProxy> {
  let wanted: { text: string; meanwhile: () => Promise<void> } | null = null;
  let cuts = 0;
  const server = net.createServer((client) => {
    const upstream = net.connect(to);
    let isCut = false;
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
    client.on('data', (bytes) => {
      upstream.write(bytes);
      if (wanted === null || !bytes.includes(wanted.text)) return;
      const { meanwhile } = wanted;
      wanted = null;
      cuts += 1;
      isCut = true;
      setTimeout(() => void meanwhile().finally(end), ANSWER_MS);
    });
    upstream.on('data', (bytes) => {
      if (!isCut) client.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return {
    port: (server.address() as AddressInfo).port,
    cutAfter: (text, meanwhile = async () => undefined) => {
      wanted = { text, meanwhile };
    },
    cuts: () => cuts,
  };
}
