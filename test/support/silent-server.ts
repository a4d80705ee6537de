import net, { type AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** `host:port` of something that takes connections and everything that is sent, and says nothing; ends with the test. */
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
