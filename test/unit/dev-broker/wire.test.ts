import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Frames } from '../../../src/dev-broker/frames.ts';
import { BadFrame, NO_UUID, Reader } from '../../../src/dev-broker/wire/reader.ts';
import { Writer } from '../../../src/dev-broker/wire/writer.ts';

function written(flexible: boolean, write: (writer: Writer) => void): Buffer {
  const writer = new Writer();
  writer.flexible = flexible;
  write(writer);
  const frame = Buffer.concat(writer.finish());
  expect(frame.readInt32BE(0)).toBe(frame.length - 4);
  return frame.subarray(4);
}

describe('fields', () => {
  it('have the bytes of the protocol, classic', () => {
    const bytes = written(false, (writer) => {
      writer.int16(-2);
      writer.string('ab');
      writer.nullableString(null);
      writer.bytes(Buffer.from([7]));
      writer.nullableBytes(null);
      writer.array([1], (value) => writer.int8(value));
      writer.array(null, () => undefined);
      writer.structs([1], () => writer.boolean(true));
      writer.noTags();
    });
    const expected =
      'fffe' + '00026162' + 'ffff' + '0000000107' + 'ffffffff' + '0000000101' + 'ffffffff' + '0000000101';
    expect(bytes.toString('hex')).toBe(expected);
  });

  it('have the bytes of the protocol, flexible', () => {
    const bytes = written(true, (writer) => {
      writer.string('ab');
      writer.nullableString(null);
      writer.bytes(Buffer.alloc(200));
      writer.array(null, () => undefined);
      writer.structs([1], () => writer.boolean(true));
      writer.noTags();
    });
    const expected = '036162' + '00' + 'c901' + '00'.repeat(200) + '00' + '020100' + '00';
    expect(bytes.toString('hex')).toBe(expected);
  });

  const anything = fc.record({
    int64: fc.maxSafeInteger(),
    int32: fc.integer(),
    text: fc.option(fc.string({ unit: 'binary' })),
    bytes: fc.option(fc.uint8Array({ maxLength: 5_000 })),
    numbers: fc.option(fc.array(fc.integer({ min: -32768, max: 32767 }))),
    structs: fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.boolean())),
    uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  });

  it('are read as they were written, in both encodings, large bytes too', () => {
    fc.assert(
      fc.property(anything, fc.boolean(), (value, flexible) => {
        const uuid = Buffer.from(value.uuid).toString('base64url');
        const bytes = value.bytes === null ? null : Buffer.from(value.bytes);
        const frame = written(flexible, (writer) => {
          writer.int64(value.int64);
          writer.nullableString(value.text);
          writer.nullableBytes(bytes);
          writer.array(value.numbers, (number) => writer.int16(number));
          writer.structs(value.structs, ([text, flag]) => {
            writer.string(text);
            writer.boolean(flag);
          });
          writer.uuid(uuid);
          writer.int32(value.int32);
        });
        const reader = new Reader(frame, flexible);
        expect(reader.int64()).toBe(value.int64);
        expect(reader.nullableString()).toBe(value.text);
        expect(reader.nullableBytes()).toEqual(bytes);
        expect(reader.nullableArray(() => reader.int16())).toEqual(value.numbers);
        expect(reader.structs(() => [reader.string(), reader.boolean()])).toEqual(value.structs);
        expect(reader.uuid()).toBe(uuid);
        expect(reader.int32()).toBe(value.int32);
        expect(reader.remaining).toBe(0);
      }),
    );
  });

  it('skips tagged fields that it does not know', () => {
    // One tag, number 5, three bytes; then an int8.
    const reader = new Reader(Buffer.from([1, 5, 3, 9, 9, 9, 42]), true);
    reader.skipTags();
    expect(reader.int8()).toBe(42);
  });

  it('knows the id that is none', () => {
    expect(new Reader(Buffer.alloc(16)).uuid()).toBe(NO_UUID);
  });
});

describe('hostile lengths', () => {
  const huge = Buffer.from([0x7f, 0xff, 0xff, 0xff, 1, 2, 3]);
  const compactHuge = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3]);

  it.each([
    ['bytes', huge, false, (reader: Reader) => reader.bytes()],
    ['an array', huge, false, (reader: Reader) => reader.array(() => reader.int8())],
    ['a string', Buffer.from([0x7f, 0xff, 1]), false, (reader: Reader) => reader.string()],
    ['compact bytes', compactHuge, true, (reader: Reader) => reader.bytes()],
    ['a compact array', compactHuge, true, (reader: Reader) => reader.array(() => reader.int8())],
    ['tags', compactHuge, true, (reader: Reader) => reader.skipTags()],
    ['a varint without end', Buffer.alloc(20, 0xff), true, (reader: Reader) => reader.string()],
    ['a null that must not be', Buffer.from([0xff, 0xff]), false, (reader: Reader) => reader.string()],
  ])('are refused: %s', (_, bytes, flexible, read) => {
    expect(() => read(new Reader(bytes, flexible))).toThrow(BadFrame);
  });

  it('are refused by the bytes that are left, before a place is made for what is not there', () => {
    const reader = new Reader(Buffer.from([0, 0, 3, 0xe8, 1, 2, 3]));
    expect(() => reader.array(() => reader.int8())).toThrow('an array of 1000 in 3 bytes');
  });

  it('are refused when arrays in arrays would become many small things', () => {
    // A thousand arrays of a thousand bytes each.
    const inner = Buffer.concat([Buffer.from([0, 0, 3, 0xe8]), Buffer.alloc(1000)]);
    const bytes = Buffer.concat([Buffer.from([0, 0, 3, 0xe8]), ...Array<Buffer>(1000).fill(inner)]);
    const reader = new Reader(bytes);
    expect(() => reader.array(() => reader.array(() => reader.int8()))).toThrow(/elements together/);
  });
});

describe('frames', () => {
  const frame = (body: Uint8Array) => {
    const prefix = Buffer.alloc(4);
    prefix.writeInt32BE(body.length);
    return Buffer.concat([prefix, body]);
  };

  it('come out whole however the bytes arrive', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });
    fc.assert(
      fc.property(bodies, fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }), (sent, sizes) => {
        const bytes = Buffer.concat(sent.map(frame));
        const frames = new Frames();
        const got: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          frames.push(Buffer.from(bytes.subarray(at, at + size)));
          at += size;
          // Not always at once: what was given out must stay as it is.
          if (turn % 3 !== 0) continue;
          for (let next = frames.next(1000); next !== undefined; next = frames.next(1000)) got.push(next);
        }
        for (let next = frames.next(1000); next !== undefined; next = frames.next(1000)) got.push(next);
        expect(got.map((body) => body.toString('hex'))).toEqual(
          sent.map((body) => Buffer.from(body).toString('hex')),
        );
        expect(frames.pendingBytes).toBe(0);
      }),
    );
  });

  it('are refused above the limit and below zero, before their bytes are here', () => {
    for (const length of [1001, 2 ** 31 - 1, -1]) {
      const frames = new Frames();
      const prefix = Buffer.alloc(4);
      prefix.writeInt32BE(length);
      frames.push(prefix);
      expect(() => frames.next(1000)).toThrow(BadFrame);
    }
  });
});
