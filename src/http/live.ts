import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** How many events, and how many bytes, are kept for clients that reconnect. */
const KEPT = 5_000;
const KEPT_BYTES = 4 * 1024 * 1024;
/**
 * A client that falls further behind is disconnected; it reconnects and receives a gap. Clients share the bytes of
 * waiting events, so each event is in memory once.
 */
const MAX_BEHIND_BYTES = 2 * KEPT_BYTES;
const HEARTBEAT_MS = 15_000;
/** Events that arrive within this time are sent to a client in one write. */
const GATHER_MS = 50;

interface LiveEvent {
  readonly number: number;
  readonly bytes: Buffer;
}

export function eventText(type: string, data: unknown): string {
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) to any number of clients. The id
 * of an event also names this server process: a client that resumes after an id of another one receives a gap.
 */
export class LiveFeed {
  readonly #server = randomUUID().slice(0, 8);
  readonly #clients = new Set<ServerResponse>();
  readonly #heartbeat: NodeJS.Timeout;
  #kept: LiveEvent[] = [];
  #keptBytes = 0;
  #last = 0;
  #gathered: Buffer[] = [];
  #flushing: NodeJS.Timeout | null = null;

  constructor() {
    this.#heartbeat = setInterval(() => this.#gather(Buffer.from(': \n\n')), HEARTBEAT_MS).unref();
  }

  /** @param isKept whether clients that reconnect need it; false for what is sent again each second */
  publish(type: string, data: unknown, isKept = true): void {
    const body = eventText(type, data);
    if (isKept) this.#gather(this.#keep(body));
    else this.#gather(Buffer.from(body));
  }

  /** Tells all clients that events were lost that cannot be sent any more. */
  publishGap(): void {
    this.publish('gap', {});
  }

  #keep(body: string): Buffer {
    const number = ++this.#last;
    const bytes = Buffer.from(`${this.#idLine()}${body}`);
    this.#kept.push({ number, bytes });
    this.#keptBytes += bytes.length;
    if (this.#kept.length > KEPT || this.#keptBytes > KEPT_BYTES) {
      // Remove several at once: removing from the front of an array moves all others.
      const gone = this.#kept.splice(0, Math.ceil(this.#kept.length / 10));
      for (const event of gone) this.#keptBytes -= event.bytes.length;
    }
    return bytes;
  }

  #idLine(): string {
    return `id: ${this.#server}-${this.#last}\n`;
  }

  #gather(bytes: Buffer): void {
    if (this.#clients.size === 0) return;
    this.#gathered.push(bytes);
    this.#flushing ??= setTimeout(() => this.#flush(), GATHER_MS).unref();
  }

  #flush(): void {
    if (this.#flushing !== null) clearTimeout(this.#flushing);
    this.#flushing = null;
    if (this.#gathered.length === 0) return;
    const bytes = Buffer.concat(this.#gathered);
    this.#gathered = [];
    for (const client of this.#clients) {
      if (client.writableLength > MAX_BEHIND_BYTES) client.destroy();
      else client.write(bytes);
    }
  }

  /** @param lastId the id of the last event that the client received; null: it requests no earlier events */
  add(response: ServerResponse, lastId: string | null): void {
    // Flush first: the new client receives the gathered events from the kept ones and must not receive them twice.
    this.#flush();
    response.write('retry: 1000\n\n');
    if (lastId === null) response.write(`${this.#idLine()}\n`);
    else for (const bytes of this.#since(lastId)) response.write(bytes);
    this.#clients.add(response);
    response.once('close', () => this.#clients.delete(response));
  }

  #since(lastId: string): readonly (Buffer | string)[] {
    const [server, number] = lastId.split('-');
    const from = Number(number);
    const isKnown = server === this.#server && Number.isInteger(from) && from <= this.#last;
    const first = this.#kept[0]?.number ?? this.#last + 1;
    // With the id from which the client resumes.
    if (!isKnown || from + 1 < first) return [`${this.#idLine()}event: gap\ndata: {}\n\n`];
    return this.#kept.filter((event) => event.number > from).map(({ bytes }) => bytes);
  }

  close(): void {
    clearInterval(this.#heartbeat);
    this.#flush();
    for (const client of this.#clients) client.end();
  }
}
