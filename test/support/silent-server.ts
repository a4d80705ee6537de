import net, { type AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** `host:port` of a server that accepts connections and bytes and never answers; it stops at the end of the test. */
export async function silentServer(): Promise<string> {
  const open = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    open.add(socket);
    socket.on('data', () => undefined);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
