import type { Headers, HeaderValue } from '../../../ports/record.ts';
import { Varints } from './varints.ts';

/** Two bytes can claim a header: a small compressed batch must not be able to fill the memory with headers. */
const MAX_HEADERS = 10_000;

/** @param at where a record's headers start: their number, then the name and value of each, with their lengths */
export function readHeaders(bytes: Buffer, at: number): Headers {
  const headers: [string, HeaderValue][] = [];
  eachHeader(bytes, at, (nameAt, nameEnd, valueAt, valueLength) => {
    headers.push([bytes.toString('utf8', nameAt, nameEnd), valueOf(bytes, valueAt, valueLength)]);
  });
  return headers;
}

/** Like `lastHeader(readHeaders(bytes, at), name)`, without building the others. */
export function findLastHeader(bytes: Buffer, at: number, name: string): HeaderValue | undefined {
  // Most records have no headers.
  if (bytes[at] === 0) return undefined;
  let found: HeaderValue | undefined;
  eachHeader(bytes, at, (nameAt, nameEnd, valueAt, valueLength) => {
    if (isText(bytes, nameAt, nameEnd, name)) found = valueOf(bytes, valueAt, valueLength);
  });
  return found;
}

/** Nearly all names are ASCII: building a string for each costs more than comparing the bytes. */
function isText(bytes: Buffer, from: number, to: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) return bytes.toString('utf8', from, to) === text;
    if (bytes[from + index] !== unit) return false;
  }
  return to - from === text.length;
}

function valueOf(bytes: Buffer, at: number, length: number): HeaderValue {
  return length < 0 ? null : bytes.subarray(at, at + length);
}

function eachHeader(
  bytes: Buffer,
  at: number,
  on: (nameAt: number, nameEnd: number, valueAt: number, valueLength: number) => void,
): void {
  const reader = new Varints(bytes, at);
  const count = reader.varint();
  for (let index = 0; index < Math.min(count, MAX_HEADERS) && reader.at < bytes.length; index += 1) {
    const nameLength = reader.varint();
    // Garbage: a negative length would lead backwards, possibly without end.
    if (nameLength < 0) return;
    const nameAt = reader.at;
    reader.at += nameLength;
    const length = reader.varint();
    on(nameAt, nameAt + nameLength, reader.at, length);
    reader.at += Math.max(length, 0);
  }
}
