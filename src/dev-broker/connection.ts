import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import type { SaslExchange } from './auth/sasl-exchange.ts';
import type { Broker } from './broker.ts';
import { faultCode, type Fault, type Faults } from './faults.ts';
import { Frames } from './frames.ts';
import { API_VERSIONS_KEY } from './requests/18-api-versions.ts';
import type { AnyApi, Call, Connection, Context, WriteAnswer } from './requests/api.ts';
import { APIS } from './requests/index.ts';
import { ERROR, KafkaError, type ErrorCode } from './wire/errors.ts';
import { BadFrame, Reader } from './wire/reader.ts';
import { Writer } from './wire/writer.ts';

/** Kafka's socket.request.max.bytes. */
const MAX_REQUEST_BYTES = 100 << 20;
/** Before authentication (Kafka's sasl.server.max.receive.size). */
const MAX_UNPROVEN_BYTES = 512 << 10;
/** Read ahead while a request is being handled. */
const READ_AHEAD_BYTES = 1 << 20;
/** Allowed before authentication: SaslHandshake, ApiVersions and SaslAuthenticate. */
const OPEN_APIS = new Set([17, API_VERSIONS_KEY, 36]);

export interface ConnectionOptions {
  readonly id: number;
  readonly broker: Broker;
  readonly faults: Faults;
  /** Time for the first request and, with users, for authentication. */
  readonly firstRequestTimeoutMs: number;
  /** Time without a request after which a client is disconnected. */
  readonly idleTimeoutMs: number;
  readonly warn: (message: string) => void;
}

interface Request {
  readonly api: AnyApi;
  readonly version: number;
  readonly correlationId: number;
  readonly call: Call;
  readonly context: Context;
}

/**
 * One client: its requests are handled one at a time and answered in order, as the protocol demands. A request that
 * cannot be read ends this connection only.
 */
export class ClientConnection implements Connection {
  readonly id: number;
  readonly clientHost: string;
  readonly reachedAt: { readonly host: string; readonly port: number };
  user: string | undefined;
  sasl: SaslExchange | undefined;
  closeAfterAnswer = false;
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #frames = new Frames();
  readonly #gone = new AbortController();
  readonly #firstRequest: NodeJS.Timeout;
  #busy = false;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.id = options.id;
    this.clientHost = plainAddress(socket.remoteAddress);
    this.reachedAt = { host: plainAddress(socket.localAddress), port: socket.localPort ?? 0 };
    this.#firstRequest = setTimeout(() => this.close(), options.firstRequestTimeoutMs);
    socket.setNoDelay(true);
    socket.setTimeout(options.idleTimeoutMs, () => this.close());
    // A killed client resets its connection; 'close' follows.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(this.#firstRequest);
      this.#gone.abort();
    });
    socket.on('data', (chunk: Buffer) => {
      this.#frames.push(chunk);
      if (this.#busy && this.#frames.pendingBytes > READ_AHEAD_BYTES) socket.pause();
      void this.#serveAll();
    });
  }

  get closed(): AbortSignal {
    return this.#gone.signal;
  }

  close(): void {
    this.#socket.destroy();
  }

  get #isAuthenticated(): boolean {
    return this.#options.broker.users === undefined || this.user !== undefined;
  }

  async #serveAll(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (!this.closed.aborted && !this.#socket.writableEnded) {
        const frame = this.#frames.next(this.#isAuthenticated ? MAX_REQUEST_BYTES : MAX_UNPROVEN_BYTES);
        if (frame === undefined) break;
        await this.#serve(frame);
      }
    } catch (error) {
      this.close();
      const why =
        error instanceof BadFrame ? error.message : String(error instanceof Error ? error.stack : error);
      this.#options.warn(`connection of ${this.clientHost} closed: ${why}`);
    } finally {
      this.#busy = false;
    }
    this.#socket.resume();
  }

  async #serve(frame: Buffer): Promise<void> {
    const request = this.#read(frame);
    if (request === undefined) return this.#answerUnknownApiVersions(frame);
    if (!this.#isAuthenticated && !OPEN_APIS.has(request.api.key)) {
      throw new BadFrame(`${request.api.name} before authentication`);
    }
    const { api, context } = request;
    const fault = this.#options.faults.take({
      api: api.name,
      clientId: context.clientId,
      connectionId: this.id,
    });
    const answer = await this.#handle(request, fault);
    if (this.#isAuthenticated) clearTimeout(this.#firstRequest);
    if (answer !== undefined) await this.#send(this.#encode(request, answer), fault);
    if (this.closeAfterAnswer) this.#socket.end();
  }

  /** @returns undefined for a newer ApiVersions, the only unknown request that has an answer */
  #read(frame: Buffer): Request | undefined {
    const reader = new Reader(frame);
    const key = reader.int16();
    const version = reader.int16();
    const correlationId = reader.int32();
    const api = APIS.get(key);
    if (api === undefined || version < api.min || version > api.max) {
      if (key === API_VERSIONS_KEY) return undefined;
      throw new BadFrame(`version ${version} of API ${key} is not supported`);
    }
    const clientId = reader.nullableString() ?? '';
    reader.flexible = version >= api.flexibleFrom;
    reader.skipTags();
    const call = api.read(reader, version);
    reader.skipTags();
    const context = { broker: this.#options.broker, connection: this, clientId, version };
    return { api, version, correlationId, call, context };
  }

  /** @returns a function that writes the answer, or undefined when there is none to send */
  async #handle({ call, context, api }: Request, fault: Fault | undefined): Promise<WriteAnswer | undefined> {
    switch (fault?.kind) {
      case 'error':
        return this.#failure(call, faultCode(fault));
      case 'silence':
        return undefined;
      case 'drop':
        if (fault.when === 'after') await this.#attempt(call, context, api);
        this.close();
        return undefined;
      case 'delay':
        // Aborted when the client disconnects.
        await sleep(fault.delayMs, undefined, { signal: this.closed }).catch(() => undefined);
        break;
      case 'duplicate':
        await this.#attempt(call, context, api);
        break;
      case 'cut':
      case undefined:
    }
    return this.#attempt(call, context, api);
  }

  async #attempt(call: Call, context: Context, api: AnyApi): Promise<WriteAnswer | undefined> {
    try {
      return await call.handle(context);
    } catch (error) {
      if (error instanceof KafkaError) return this.#failure(call, error.code);
      this.#options.warn(`${api.name} failed: ${String(error instanceof Error ? error.stack : error)}`);
      return this.#failure(call, isDiskError(error) ? ERROR.KAFKA_STORAGE_ERROR : ERROR.UNKNOWN_SERVER_ERROR);
    }
  }

  #failure(call: Call, error: ErrorCode): WriteAnswer | undefined {
    const answer = call.fail(error);
    if (answer === undefined) this.close();
    return answer;
  }

  #encode({ api, version, correlationId }: Request, answer: WriteAnswer): Buffer[] {
    const writer = new Writer();
    writer.int32(correlationId);
    writer.flexible = version >= api.flexibleFrom;
    // The client does not know our versions yet, so this header is always the oldest.
    if (api.key !== API_VERSIONS_KEY) writer.noTags();
    answer(writer);
    writer.noTags();
    return writer.finish();
  }

  async #answerUnknownApiVersions(frame: Buffer): Promise<void> {
    const api = APIS.get(API_VERSIONS_KEY);
    const answer = api?.read(new Reader(Buffer.alloc(0)), 0).fail(ERROR.UNSUPPORTED_VERSION);
    if (answer === undefined) return;
    const writer = new Writer();
    writer.int32(frame.readInt32BE(4));
    answer(writer);
    await this.#send(writer.finish(), undefined);
  }

  /** Waits until the client has read most of the answer: a client that does not read must not fill our memory. */
  async #send(chunks: readonly Buffer[], fault: Fault | undefined): Promise<void> {
    if (this.closed.aborted) return;
    if (fault?.kind === 'cut') {
      const whole = Buffer.concat(chunks);
      this.#socket.end(whole.subarray(0, Math.ceil(whole.length / 2)));
      return;
    }
    this.#socket.cork();
    for (const chunk of chunks) this.#socket.write(chunk);
    this.#socket.uncork();
    if (!this.#socket.writableNeedDrain) return;
    await once(this.#socket, 'drain', { signal: this.closed }).catch(() => undefined);
  }
}

/** IPv4 in its own notation, also on a dual-stack socket. */
function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:/, '');
}

function isDiskError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
