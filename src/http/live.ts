import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** How many events are kept for clients whose connection was cut. */
const KEPT = 5_000;
/**
 * A client that falls further behind is dropped: it connects again, and receives a gap. What waits for several is in
 * memory once.
 */
const MAX_BEHIND_BYTES = 256 * 1024;
const HEARTBEAT_MS = 15_000;

interface LiveEvent {
  readonly number: number;
  readonly bytes: Buffer;
}

/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) to any number of clients. The id of
 * an event names this server too: what another one sent is a gap.
 */
export class LiveFeed {
  readonly #server = randomUUID().slice(0, 8);
  readonly #kept: LiveEvent[] = [];
  readonly #clients = new Set<ServerResponse>();
  readonly #heartbeat: NodeJS.Timeout;
  #last = 0;

  constructor() {
    this.#heartbeat = setInterval(() => this.#write(Buffer.from(': \n\n')), HEARTBEAT_MS).unref();
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** @param isKept whether a client that was away needs it: what is sent again each second is not */
  publish(type: string, data: unknown, isKept = true): void {
    const body = `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
    if (!isKept) {
      this.#write(Buffer.from(body));
      return;
    }
    const number = ++this.#last;
    const event = { number, bytes: Buffer.from(`id: ${this.#server}-${number}\n${body}`) };
    this.#kept.push(event);
    if (this.#kept.length > KEPT) this.#kept.shift();
    this.#write(event.bytes);
  }

  #write(bytes: Buffer): void {
    for (const client of this.#clients) {
      if (client.writableLength > MAX_BEHIND_BYTES) client.destroy();
      else client.write(bytes);
    }
  }

  /** @param lastId of the last event that the client received; null: it asks for no earlier events */
  add(response: ServerResponse, lastId: string | null): void {
    response.write(`retry: 1000\n\n`);
    for (const bytes of lastId === null ? [] : this.#since(lastId)) response.write(bytes);
    this.#clients.add(response);
    response.once('close', () => this.#clients.delete(response));
  }

  #since(lastId: string): readonly Buffer[] {
    const [server, number] = lastId.split('-');
    const from = Number(number);
    const isKnown = server === this.#server && Number.isInteger(from) && from <= this.#last;
    const first = this.#kept[0]?.number ?? this.#last + 1;
    if (!isKnown || from + 1 < first) return [Buffer.from('event: gap\ndata: {}\n\n')];
    return this.#kept.filter((event) => event.number > from).map(({ bytes }) => bytes);
  }

  close(): void {
    clearInterval(this.#heartbeat);
    for (const client of this.#clients) client.end();
  }
}
