import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { listen, stopListening } from '../dev-broker/http-server.ts';
import { LineLog } from '../dev-broker/line-log.ts';
import { Books, type Entry, type Totals } from './books.ts';
import { isMood, Moods, MOODS, type Mood } from './moods.ts';

/*
 * A payment gateway that moves no money, with the API that src/adapters/gateway/http.ts describes:
 *
 *   POST /payments, POST /refunds, GET /payments/KEY
 *   GET /books          charges and refunds, and the orders charged or refunded twice
 *   GET /mood, PUT /mood {"mood": "lose", "times": 3}
 */

const DELAY_MS = 1_000;
const MAX_BODY_BYTES = 64 * 1024;
const AMOUNT = /^\d{1,8}\.\d{2}$/;

export interface DevGatewayOptions {
  readonly host?: string;
  /** 0: any free port. */
  readonly port: number;
  /** The file with its books. */
  readonly file: string;
}

export interface DevGateway {
  readonly url: string;
  totals(): Totals;
  /** Resolves when the port is free. */
  stop(): Promise<void>;
}

/**
 * A gateway to experiment with. It writes each entry to the page cache before it answers, so a kill -9 loses nothing.
 *
 * @throws CorruptStateError · the errors of node:net and node:fs, EADDRINUSE first of all
 */
export async function startDevGateway({
  host = '127.0.0.1',
  port,
  file,
}: DevGatewayOptions): Promise<DevGateway> {
  const books = new Books();
  const log = new LineLog(file, (entry) => books.add(entry as Entry));
  try {
    const gateway = new Gateway(books, log);
    const server = createServer((request, response) => {
      // The client closed the connection.
      gateway.answer(request, response).catch(() => response.destroy());
    });
    const url = await listen(server, host, port);
    return {
      url,
      totals: () => books.totals(),
      stop: () => stop(server, log),
    };
  } catch (error) {
    log.close();
    throw error;
  }
}

async function stop(server: Server, log: LineLog): Promise<void> {
  if (await stopListening(server)) log.close();
}

type Reply = readonly [status: number, body: object];
type Values = Readonly<Record<string, unknown>>;

class Gateway {
  readonly #moods = new Moods();
  readonly #books: Books;
  readonly #log: LineLog;

  constructor(books: Books, log: LineLog) {
    this.#books = books;
    this.#log = log;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://gateway');
    const body = await readBody(request);
    const route = `${request.method ?? ''} ${pathname}`;
    if (route === 'POST /payments') return this.#move('charge', request, body, response);
    if (route === 'POST /refunds') return this.#move('refund', request, body, response);
    if (route.startsWith('GET /payments/')) return this.#lookUp(pathname, response);
    send(response, this.#administer(route, body));
  }

  #administer(route: string, body: Values | undefined): Reply {
    if (route === 'GET /books') return [200, this.#books.totals()];
    if (route === 'PUT /mood') {
      const { mood, times = null } = body ?? {};
      const isCount = times === null || (Number.isInteger(times) && Number(times) > 0);
      if (!isMood(mood) || !isCount) {
        const message = `{"mood": one of ${MOODS.join(', ')}, "times": a whole number from 1, or null}`;
        return [400, { code: 'invalid_mood', message }];
      }
      this.#moods.set(mood, times === null ? Infinity : Number(times));
    } else if (route !== 'GET /mood') return [404, { code: 'not_found' }];
    return [200, this.#moods.now];
  }

  async #lookUp(pathname: string, response: ServerResponse): Promise<void> {
    const mood = this.#moods.ofLookUp();
    if (!(await behave(mood, response))) return;
    const found = this.#books.find(decodeURIComponent(pathname.slice('/payments/'.length)));
    send(response, found === undefined ? [404, { code: 'unknown_key' }] : answerOf(found));
  }

  async #move(
    kind: Entry['kind'],
    { headers }: IncomingMessage,
    body: Values | undefined,
    response: ServerResponse,
  ): Promise<void> {
    const key = headers['idempotency-key'];
    const { order_id, customer_id, amount } = body ?? {};
    const isWhole = typeof order_id === 'string' && typeof customer_id === 'string';
    if (typeof key !== 'string' || !isWhole || typeof amount !== 'string' || !AMOUNT.test(amount)) {
      const message = 'Idempotency-Key, order_id, customer_id and amount ("12.50") are required';
      send(response, [400, { code: 'invalid_request', message }]);
      return;
    }
    const mood = this.#moods.ofRequest(customer_id, key);
    if (!(await behave(mood, response))) return;
    const known = this.#books.find(key);
    if (known !== undefined && (known.kind !== kind || known.amount !== amount)) {
      send(response, [422, { code: 'key_reused' }]);
      return;
    }
    const asked = { kind, key, order_id, customer_id, amount };
    const isForgotten = known !== undefined && this.#forgotten.has(key);
    const entry = known === undefined || isForgotten ? this.#add(asked, mood) : known;
    if (mood === 'forget') this.#forgotten.add(key);
    if (mood === 'lose' || mood === 'forget') response.destroy();
    else send(response, answerOf(entry));
  }

  readonly #forgotten = new Set<string>();

  #add(asked: Pick<Entry, 'kind' | 'key' | 'order_id' | 'customer_id' | 'amount'>, mood: Mood): Entry {
    const isDeclined = mood === 'decline' && asked.kind === 'charge';
    const entry: Entry = {
      ...asked,
      status: isDeclined ? 'declined' : 'paid',
      reference: `${asked.kind === 'charge' ? 'ch' : 're'}_${this.#books.size + 1}`,
      reason: isDeclined ? 'card_declined' : null,
      at: new Date().toISOString(),
    };
    this.#log.append(entry);
    this.#books.add(entry);
    return entry;
  }
}

function answerOf({ status, reference, reason, amount }: Entry): Reply {
  return [200, { status, reference, reason, amount }];
}

/** @returns whether the request is to be handled */
async function behave(mood: Mood, response: ServerResponse): Promise<boolean> {
  if (mood === 'delay') await new Promise((resolve) => setTimeout(resolve, DELAY_MS));
  if (mood === 'error') send(response, [503, { code: 'unavailable' }]);
  return mood !== 'error' && mood !== 'hang';
}

function send(response: ServerResponse, [status, body]: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

/** @returns undefined if it is not a JSON object, or too large */
async function readBody(request: IncomingMessage): Promise<Values | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (sizeBytes > MAX_BODY_BYTES) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString());
    return typeof value === 'object' && value !== null ? (value as Values) : undefined;
  } catch {
    return undefined;
  }
}
