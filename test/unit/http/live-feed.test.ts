import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LiveFeed } from '../../../src/http/live.ts';

/** What a client receives. */
class Client extends EventEmitter {
  readonly writes: string[] = [];
  writableLength = 0;
  isDropped = false;

  write(bytes: Buffer | string): boolean {
    this.writes.push(bytes.toString());
    return true;
  }

  end(): void {
    this.emit('close');
  }

  destroy(): void {
    this.isDropped = true;
    this.emit('close');
  }

  get text(): string {
    return this.writes.join('');
  }

  get events(): readonly string[] {
    return [...this.text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].map(
      ([, type, data]) => `${type} ${data}`,
    );
  }

  get lastId(): string | null {
    return [...this.text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? null;
  }
}

let feed: LiveFeed;

beforeEach(() => {
  vi.useFakeTimers();
  feed = new LiveFeed();
});
afterEach(() => {
  feed.close();
  vi.useRealTimers();
});

function connect(lastId: string | null = null): Client {
  const client = new Client();
  feed.add(client as unknown as ServerResponse, lastId);
  return client;
}

/** Time for all that was published to be sent. */
function pass(): void {
  vi.advanceTimersByTime(60);
}

it('what comes within a moment is sent in one piece', () => {
  const client = connect();
  const before = client.writes.length;
  for (let n = 0; n < 10; n += 1) feed.publish('stock', n);
  pass();
  expect(client.writes.length - before).toBe(1);
  expect(client.events).toHaveLength(10);
});

it('a client that comes back receives what it missed, of every kind, once', () => {
  const first = connect();
  feed.publish('decisions', 1);
  pass();
  first.end();
  feed.publish('statuses', 2);
  feed.publish('overview', 'old', false);
  feed.publish('stock', 3);
  const second = connect(first.lastId);
  feed.publish('alerts', 4);
  pass();
  expect(second.events).toEqual(['statuses 2', 'stock 3', 'alerts 4']);
  // Also one that has received no event yet.
  expect(connect(connect().lastId).events).toEqual([]);
});

it('what a client came too late for is a gap, after which it goes on', () => {
  feed.publish('stock', 0);
  const old = connect();
  old.end();
  for (let n = 0; n < 6_000; n += 1) feed.publish('stock', n);
  const back = connect(old.lastId);
  expect(back.events).toEqual(['gap {}']);
  back.end();
  feed.publish('stock', 'later');
  expect(connect(back.lastId).events).toEqual(['stock "later"']);
  // Of another server, or of nobody.
  expect(connect('other-5').events).toEqual(['gap {}']);
  expect(connect('').events).toEqual(['gap {}']);
});

it('what is kept is bounded, however large events are', () => {
  const old = connect();
  old.end();
  const large = 'x'.repeat(64 * 1024);
  for (let n = 0; n < 200; n += 1) feed.publish('stock', large);
  expect(connect(old.lastId).events).toEqual(['gap {}']);
  const recent = connect();
  feed.publish('stock', 'one');
  expect(connect(recent.lastId).events).toEqual(['stock "one"']);
});

it('what the server itself missed is a gap for all, those that are away as well', () => {
  const here = connect();
  const away = connect();
  away.end();
  feed.publishGap();
  pass();
  expect(here.events).toEqual(['gap {}']);
  expect(connect(away.lastId).events).toEqual(['gap {}']);
});

it('a client that does not read is dropped', () => {
  const [slow, other] = [connect(), connect()];
  slow.writableLength = 2 ** 30;
  feed.publish('stock', 1);
  pass();
  expect([slow.isDropped, other.isDropped]).toEqual([true, false]);
  expect(other.events).toEqual(['stock 1']);
});
