import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const HOST = '127.0.0.1';

/** Whether bytes of a connection are held back. `from` is the node that opened it; null is a client. */
export type Silence = (from: number | null) => boolean;

interface Pair {
  readonly near: net.Socket;
  readonly far: net.Socket;
  /** Undefined until the first request. */
  from: number | null | undefined;
}

/** A path to a node that can be cut. */
export interface Way {
  /** Holds back the bytes of these connections, in both directions. */
  silence(silence: Silence): void;
  heal(): void;
  /** Its node has died. */
  close(): void;
  reopen(): Promise<void>;
}

/**
 * A path to a port that can be cut: a TCP proxy. When silent, it accepts connections and bytes and forwards nothing,
 * like a network that loses every packet; the bytes that it kept are forwarded after healing, as TCP would send them
 * again. When closed, it refuses connections and ends the existing ones, like a machine whose process has died.
 */
export class Link implements Way {
  readonly port: number;
  readonly #target: number;
  readonly #host: string;
  readonly #pairs = new Set<Pair>();
  #server: net.Server | undefined;
  #silence: Silence = () => false;

  private constructor(port: number, target: number, host: string) {
    this.port = port;
    this.#target = target;
    this.#host = host;
  }

  static async open(port: number, target: number, host = HOST): Promise<Link> {
    const link = new Link(port, target, host);
    await link.reopen();
    return link;
  }

  silence(silence: Silence): void {
    this.#silence = silence;
    for (const pair of this.#pairs) this.#apply(pair);
  }

  heal(): void {
    this.silence(() => false);
  }

  close(): void {
    this.#server?.close();
    this.#server = undefined;
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  async reopen(): Promise<void> {
    if (this.#server !== undefined) return;
    for (;;) {
      const server = net.createServer((near) => {
        this.#connect(near);
      });
      const opened = await new Promise<boolean>((resolve) => {
        server.once('error', () => {
          resolve(false);
        });
        server.listen(this.port, HOST, () => {
          resolve(true);
        });
      });
      if (opened) {
        this.#server = server;
        return;
      }
      // For a moment, another connection of this machine uses the port as its local end.
      await sleep(100);
    }
  }

  #connect(near: net.Socket): void {
    const far = net.connect(this.#target, this.#host);
    const pair: Pair = { near, far, from: undefined };
    this.#pairs.add(pair);
    near.setNoDelay(true);
    far.setNoDelay(true);
    const end = () => {
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on('error', end).on('close', end);
    let head = Buffer.alloc(0);
    const read = (chunk: Buffer) => {
      head = Buffer.concat([head, chunk]);
      pair.from = originOf(head);
      if (pair.from === undefined) return;
      near.off('data', read);
      near.pause();
      near.unshift(head);
      this.#apply(pair);
    };
    near.on('data', read);
  }

  #apply({ near, far, from }: Pair): void {
    if (from === undefined) return;
    near.unpipe(far);
    far.unpipe(near);
    if (this.#silence(from)) return;
    near.pipe(far);
    far.pipe(near);
  }
}

/**
 * The node that opened a connection, by the client id in the header of its first request: `broker-1-fetcher-0` for a
 * broker's replica fetcher, `1` for its connection to the controller, `raft-client-1` between controllers.
 *
 * @returns undefined while the header is incomplete
 */
function originOf(head: Buffer): number | null | undefined {
  const [LENGTH_AT, TEXT_AT] = [12, 14]; // size, key, version, correlation id; length
  if (head.length < TEXT_AT) return undefined;
  const length = Math.max(head.readInt16BE(LENGTH_AT), 0);
  if (head.length < TEXT_AT + length) return undefined;
  const clientId = head.toString('utf8', TEXT_AT, TEXT_AT + length);
  const node = /^(?:broker-(\d+)-fetcher-\d+|raft-client-(\d+)|(\d+))$/.exec(clientId);
  return node === null ? null : Number(node[1] ?? node[2] ?? node[3]);
}
