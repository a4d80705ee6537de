import { createServer, type AddressInfo, type Server } from 'node:net';

import { ClientConnection, type ConnectionOptions } from './connection.ts';

/** More than a development broker needs; each connection may keep a request in memory. */
const MAX_CONNECTIONS = 1000;

/** The port is in use, or the host is not an address of this machine. */
export class CannotListenError extends Error {
  override readonly name = 'CannotListenError';
}

interface ListenOptions extends Omit<ConnectionOptions, 'id'> {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

/** Accepts connections. */
export class ProtocolServer {
  readonly #server: Server;
  readonly #connections = new Set<ClientConnection>();
  #nextId = 1;

  private constructor(options: ListenOptions) {
    this.#server = createServer((socket) => {
      const connection = new ClientConnection(socket, { ...options, id: this.#nextId });
      this.#nextId += 1;
      this.#connections.add(connection);
      socket.on('close', () => this.#connections.delete(connection));
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** @throws CannotListenError */
  static async listen(options: ListenOptions): Promise<ProtocolServer> {
    const listening = new ProtocolServer(options);
    await new Promise<void>((resolve, reject) => {
      listening.#server.once('error', (error: NodeJS.ErrnoException) => {
        const where = `${options.host}:${options.port}`;
        const why = error.code === 'EADDRINUSE' ? 'another program listens there' : error.message;
        reject(new CannotListenError(`cannot listen on ${where}: ${why}`, { cause: error }));
      });
      listening.#server.listen(options.port, options.host, resolve);
    });
    return listening;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends all connections. */
  disconnect(): void {
    for (const connection of this.#connections) connection.close();
  }

  async stop(): Promise<void> {
    const stopped = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.disconnect();
    await stopped;
  }
}
