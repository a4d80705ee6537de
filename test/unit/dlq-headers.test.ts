import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readOrigin, redriveHeaders } from '../../src/app/dlq/headers.ts';
import { lastHeader, type Headers } from '../../src/ports/record.ts';
import { int, long, vendorHeaders } from '../support/vendor-letters.ts';

const EXPECTED: Record<string, object> = {
  connect: {
    errorCode: 'org.apache.kafka.connect.errors.DataException',
    errorMessage: 'Failed to deserialize',
    errorStage: 'VALUE_CONVERTER',
    timestamp: null,
  },
  spring: {
    errorCode: 'java.lang.IllegalStateException',
    errorMessage: 'Listener failed',
    group: 'billing',
    timestamp: 1_760_000_000_000,
  },
  spring_retry: { errorCode: 'java.lang.IllegalStateException', attempts: 4, timestamp: 1_760_000_000_000 },
  spring_cloud_stream: {
    errorCode: 'java.lang.IllegalArgumentException',
    errorMessage: 'Negative amount',
    timestamp: 1_760_000_000_000,
  },
  streams: {
    errorCode: 'org.apache.kafka.common.errors.SerializationException',
    errorMessage: 'Size of data',
  },
  share_group: { errorCode: null, errorMessage: 'released too often', attempts: 5, group: 'workers' },
  smallrye: { errorCode: 'java.lang.RuntimeException', errorMessage: 'it broke' },
  orderctl: {
    errorCode: 'undecodable',
    errorStage: 'decode',
    errorMessage: 'byte 7: bad',
    attempts: 2,
    group: 'orderctl',
    timestamp: Date.parse('2025-10-09T08:53:20.000Z'),
    failedAt: Date.parse('2025-10-09T08:53:21.000Z'),
  },
};

const REPLAY = { id: 'r-1', at: 1_770_000_000_000, group: null };

describe.each(Object.entries(vendorHeaders('shop.orders')))('a dead letter of %s', (vendor, byName) => {
  const headers: Headers = Object.entries(byName);
  const asBytes: Headers = headers.map(([name, value]) => [name, Buffer.from(value as string)]);

  it('says where it came from and why', () => {
    for (const given of [headers, asBytes]) {
      expect(readOrigin(given)).toMatchObject({
        format: vendor,
        topic: 'shop.orders',
        partition: 2,
        offset: 45,
        replayCount: 0,
        ...EXPECTED[vendor],
      });
    }
  });

  it('leaves those headers behind when it is sent again, and keeps its own', () => {
    const own: Headers = [
      ['many', 'a'],
      ['trace', Buffer.from([1, 255])],
      ['many', Buffer.from('b')],
      ['none', null],
    ];
    const given = [...own.slice(0, 2), ...headers, ...own.slice(2)];
    const sent = redriveHeaders(given, readOrigin(given), REPLAY);
    const expected: Headers = [
      ...own,
      ['x-original-topic', 'shop.orders'],
      ['x-original-partition', '2'],
      ['x-original-offset', '45'],
      ['x-replay-id', 'r-1'],
      ['x-replay-count', '1'],
      ['x-replayed-at', '2026-02-02T02:40:00.000Z'],
    ];
    const others = new Set(['x-attempts', 'x-original-timestamp']);
    expect(sent.filter(([name]) => !others.has(name))).toEqual(expected);
    expect(lastHeader(sent, 'x-attempts')).toBe(vendor === 'orderctl' ? '2' : undefined);
  });
});

describe('headers of dead letters', () => {
  it('name the one group that is to handle it again, instead of the one that has read it', () => {
    const headers: Headers = [
      ['x-error-code', 'gateway_unavailable'],
      ['x-original-group', 'old.payment'],
    ];
    const groups = (group: string | null) =>
      redriveHeaders(headers, readOrigin(headers), { ...REPLAY, group }).filter(([name]) =>
        name.startsWith('x-original'),
      );
    expect(groups('new.payment')).toEqual([['x-original-group', 'new.payment']]);
    expect(groups(null)).toEqual([]);
  });

  it('count how often it came back, and the last of several counts', () => {
    const headers: Headers = [
      ['__connect.errors.topic', 'first'],
      ['__connect.errors.partition', int(1)],
      ['__connect.errors.topic', 'second'],
      ['__connect.errors.partition', int(7)],
      ['x-replay-count', Buffer.from('2')],
    ];
    const origin = readOrigin(headers);
    expect(origin).toMatchObject({ topic: 'second', partition: 7, replayCount: 2 });
    expect(lastHeader(redriveHeaders(headers, origin, REPLAY), 'x-replay-count')).toBe('3');
  });

  it('name no topic that cannot be one, and no number that is none', () => {
    const origin = readOrigin([
      ['kafka_dlt-original-topic', 'no topic\u001B[31m'],
      ['kafka_dlt-original-partition', int(-1)],
      ['kafka_dlt-original-offset', long(-5)],
      ['kafka_dlt-exception-message', `a\u001B[31m\r\nb${'x'.repeat(5_000)}`],
    ]);
    expect(origin).toMatchObject({ format: 'spring', topic: null, partition: null, offset: null });
    expect(origin.errorMessage).toMatch(/^a \[31m bx+$/);
    expect(origin.errorMessage).toHaveLength(1_000);
  });

  it('are no dead letter without those of a known format', () => {
    const headers: Headers = [
      ['x-original-topic', 'orders'],
      ['trace', 'a'],
      ['x-error-code', null],
    ];
    expect(readOrigin(headers)).toMatchObject({ format: null, topic: null });
    expect(readOrigin([['toString', 'x']])).toMatchObject({ format: null });
  });

  it('whatever they hold, are read and sent again', () => {
    const names = Object.values(vendorHeaders('t')).flatMap((headers) => Object.keys(headers));
    const value = fc.oneof(fc.string(), fc.uint8Array({ maxLength: 40 }), fc.constant(null));
    const header = fc.tuple(fc.oneof(fc.constantFrom(...names, 'x-replay-count'), fc.string()), value);
    fc.assert(
      fc.property(fc.array(header), (headers) => {
        const origin = readOrigin(headers);
        for (const number of [
          origin.partition,
          origin.offset,
          origin.timestamp,
          origin.failedAt,
          origin.attempts,
        ]) {
          expect(number === null || (Number.isSafeInteger(number) && number >= 0)).toBe(true);
        }
        const sent = redriveHeaders(headers, origin, REPLAY);
        expect(lastHeader(sent, 'x-replay-id')).toBe('r-1');
        expect(sent.some(([name]) => name.startsWith('x-error-'))).toBe(false);
      }),
    );
  });
});
