import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** Assigns a server's sessions to clients for one transaction each, as PgBouncer does in transaction mode. */
export interface PoolingProxy {
  readonly port: number;
  /** The maximum number of clients that were connected at once. */
  readonly mostClients: () => number;
  /**
   * From now on it accepts clients but ends them at their next statement, as PgBouncer does without its server; null
   * resets.
   */
  refuse(reason: string | null): void;
}

/*
 * Messages as in PostgreSQL's manual, "Message Formats": one byte with the type, four with the length, which includes
 * itself. A client's first message has no type.
 */
const TYPED_HEAD = 5;
const SSL_REQUEST = 80_877_103;
const [READY, TERMINATE] = ['Z', 'X'].map((type) => type.charCodeAt(0));
const IDLE = 'I'.charCodeAt(0);

/** Calls `take` with each complete message. @returns the function to which received bytes are passed */
function framed(take: (message: Buffer) => void, hasType: () => boolean): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      const head = hasType() ? TYPED_HEAD : TYPED_HEAD - 1;
      if (rest.length < head) return;
      const size = rest.readUInt32BE(head - 4) + head - 4;
      if (rest.length < size) return;
      const message = rest.subarray(0, size);
      rest = rest.subarray(size);
      take(message);
    }
  };
}

/** PgBouncer's error, whatever is wrong. */
function refusalOf(reason: string): Buffer {
  const fields = Buffer.from(`SFATAL\0C08P01\0M${reason}\0\0`);
  const head = Buffer.from('E\0\0\0\0');
  head.writeUInt32BE(fields.length + head.length - 1, 1);
  return Buffer.concat([head, fields]);
}

interface Session {
  readonly socket: net.Socket;
  client: net.Socket | null;
}

/** @param most the maximum number of sessions on the server; all with one user and database */
export async function startPoolingProxy(
  to: { readonly host: string; readonly port: number; readonly user: string; readonly database: string },
  most: number,
): Promise<PoolingProxy> {
  const sessions: Session[] = [];
  /** The server's parameters at the start of a session, which every client receives. */
  let greeting = Buffer.alloc(0);
  const waiting: (() => void)[] = [];
  const clients = new Set<net.Socket>();
  let mostClients = 0;
  let refusal: Buffer | null = null;

  const release = (session: Session): void => {
    session.client = null;
    waiting.shift()?.();
  };
  const openSession = async (): Promise<void> => {
    const socket = net.connect(to);
    const session: Session = { socket, client: null };
    let greeted: Buffer[] | null = [];
    const isReady = new Promise<void>((resolve, reject) => {
      socket.on('error', reject);
      socket.on(
        'data',
        framed(
          (message) => {
            const isIdle = message[0] === READY && message[TYPED_HEAD] === IDLE;
            if (greeted !== null) {
              greeted.push(message);
              if (!isIdle) return;
              greeting = Buffer.concat(greeted);
              greeted = null;
              resolve();
              return;
            }
            // From a session that no client has: notifications are lost.
            session.client?.write(message);
            if (isIdle) release(session);
          },
          () => true,
        ),
      );
    });
    const text = Buffer.from(`user\0${to.user}\0database\0${to.database}\0\0`);
    const head = Buffer.alloc(8);
    head.writeUInt32BE(text.length + 8, 0);
    head.writeUInt32BE(3 << 16, 4);
    socket.write(Buffer.concat([head, text]));
    await isReady;
    sessions.push(session);
  };
  for (let n = 0; n < most; n += 1) await openSession();

  const server = net.createServer((client) => {
    clients.add(client);
    mostClients = Math.max(mostClients, clients.size);
    let hasBegun = false;
    const queued: Buffer[] = [];
    let isWaiting = false;
    const flush = (): void => {
      isWaiting = false;
      if (queued.length === 0 || client.destroyed) {
        waiting.shift()?.();
        return;
      }
      const session =
        sessions.find((one) => one.client === client) ?? sessions.find((one) => one.client === null);
      if (session === undefined) {
        isWaiting = true;
        waiting.push(flush);
        return;
      }
      session.client = client;
      session.socket.write(Buffer.concat(queued.splice(0)));
    };
    client.on(
      'data',
      framed(
        (message) => {
          if (!hasBegun) {
            if (message.readUInt32BE(4) === SSL_REQUEST) {
              client.write('N');
              return;
            }
            hasBegun = true;
            client.write(greeting);
            return;
          }
          if (message[0] === TERMINATE) {
            client.end();
            return;
          }
          if (refusal !== null) {
            client.end(refusal);
            return;
          }
          queued.push(message);
          if (!isWaiting) flush();
        },
        () => hasBegun,
      ),
    );
    client.on('error', () => undefined);
    client.on('close', () => {
      clients.delete(client);
      const session = sessions.find((one) => one.client === client);
      if (session === undefined) return;
      // In the middle of a transaction: the server rolls it back, and another session replaces this one.
      session.socket.destroy();
      sessions.splice(sessions.indexOf(session), 1);
      void openSession().then(() => waiting.shift()?.());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of [...clients, ...sessions.map((one) => one.socket)]) socket.destroy();
  });
  return {
    port: (server.address() as AddressInfo).port,
    mostClients: () => mostClients,
    refuse: (reason) => (refusal = reason === null ? null : refusalOf(reason)),
  };
}
