import net from 'node:net';

import { Reader } from '../../src/dev-broker/wire/reader.ts';
import { Writer } from '../../src/dev-broker/wire/writer.ts';

/** A connection that sends any bytes, valid or not. */
export class RawClient {
  readonly socket: net.Socket;
  /** Resolves when the other side has closed it. */
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  #isClosed = false;
  #changed: () => void = () => undefined;
  #correlationId = 0;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#changed();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#isClosed = true;
        this.#changed();
        resolve();
      });
    });
  }

  static connect(port: number): Promise<RawClient> {
    const socket = net.connect(port, '127.0.0.1');
    const client = new RawClient(socket);
    return new Promise((resolve, reject) => {
      socket.once('connect', () => resolve(client));
      socket.once('error', reject);
    });
  }

  get receivedBytes(): number {
    return this.#received.length;
  }

  /**
   * @returns the body of the next answer, after its correlation id; undefined when the connection was closed instead
   */
  async answer(): Promise<Reader | undefined> {
    for (;;) {
      const size = this.#received.length < 4 ? Infinity : 4 + this.#received.readInt32BE(0);
      if (size <= this.#received.length) {
        const frame = this.#received.subarray(4, size);
        this.#received = this.#received.subarray(size);
        return new Reader(frame.subarray(4));
      }
      if (this.#isClosed) return undefined;
      await new Promise<void>((resolve) => (this.#changed = resolve));
    }
  }

  async ask(key: number, version: number, body: (writer: Writer) => void = () => undefined) {
    this.send(this.request(key, version, body));
    return this.answer();
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** The bytes of a request in the classic encoding. */
  request(key: number, version: number, body: (writer: Writer) => void = () => undefined): Buffer {
    this.#correlationId += 1;
    const writer = new Writer();
    writer.int16(key);
    writer.int16(version);
    writer.int32(this.#correlationId);
    writer.nullableString('raw');
    body(writer);
    return Buffer.concat(writer.finish());
  }

  end(): void {
    this.socket.destroy();
  }
}

/** Bodies of requests, as the protocol defines them. */
export const body = {
  metadata: (topics: readonly string[] | null) => (writer: Writer) => {
    writer.array(topics, (topic) => writer.string(topic));
    writer.boolean(true); // version 4: may create
  },
  /** Version 7. */
  produce: (topic: string, records: Buffer | null, acks = -1) => {
    return (writer: Writer) => {
      writer.nullableString(null);
      writer.int16(acks);
      writer.int32(1_000);
      writer.structs([topic], (name) => {
        writer.string(name);
        writer.structs([0], (index) => {
          writer.int32(index);
          writer.nullableBytes(records);
        });
      });
    };
  },
  /** Version 11. */
  fetch: (topic: string, offset: number, options: FetchOptions = {}) => {
    return (writer: Writer) => {
      writer.int32(-1);
      writer.int32(options.maxWaitMs ?? 0);
      writer.int32(options.minBytes ?? 1);
      writer.int32(options.maxBytes ?? 1e6);
      writer.int8(options.committedOnly === true ? 1 : 0);
      writer.int32(options.sessionId ?? 0);
      writer.int32(-1);
      writer.structs([topic], (name) => {
        writer.string(name);
        writer.structs([0], (index) => {
          writer.int32(index);
          writer.int32(options.leaderEpoch ?? -1);
          writer.int64(offset);
          writer.int64(-1);
          writer.int32(options.partitionBytes ?? 1e6);
        });
      });
      writer.structs([], () => undefined);
      writer.string('');
    };
  },
};

export interface FetchOptions {
  readonly maxWaitMs?: number;
  readonly minBytes?: number;
  readonly maxBytes?: number;
  readonly partitionBytes?: number;
  readonly committedOnly?: boolean;
  readonly sessionId?: number;
  readonly leaderEpoch?: number;
}

/** The one partition in an answer to Produce version 7. */
export function produced(reader: Reader | undefined) {
  if (reader === undefined) throw new Error('no answer to Produce');
  const [topic] = reader.structs(() => {
    reader.string();
    return reader.structs(() => {
      reader.int32();
      return {
        error: reader.int16(),
        baseOffset: reader.int64(),
        appendTimeMs: reader.int64(),
        startOffset: reader.int64(),
      };
    });
  });
  const [partition] = topic ?? [];
  if (partition === undefined) throw new Error('no partition in the answer');
  return partition;
}

/** The one partition in an answer to Fetch version 11. */
export function fetched(reader: Reader | undefined) {
  if (reader === undefined) throw new Error('no answer to Fetch');
  reader.int32();
  const requestError = reader.int16();
  const sessionId = reader.int32();
  const [topic] = reader.structs(() => {
    reader.string();
    return reader.structs(() => ({
      index: reader.int32(),
      error: reader.int16(),
      highWatermark: reader.int64(),
      stableOffset: reader.int64(),
      startOffset: reader.int64(),
      aborted: reader.nullableStructs(() => ({ producerId: reader.int64(), firstOffset: reader.int64() })),
      preferredReplica: reader.int32(),
      records: reader.bytes(),
    }));
  });
  const [partition] = topic ?? [];
  if (partition === undefined) throw new Error('no partition in the answer');
  return { requestError, sessionId, ...partition };
}
