import type { Headers, HeaderValue } from '../../../ports/record.ts';
import { Varints } from './varints.ts';

/** Two bytes can claim one: what a small compressed batch unfolds to must not fill the memory with them. */
const MAX_HEADERS = 10_000;

/** @param at where the headers of a record begin: their number, then each one's name and value with its length */
export function readHeaders(bytes: Buffer, at: number): Headers {
  const headers: [string, HeaderValue][] = [];
  eachHeader(bytes, at, (nameAt, nameEnd, valueAt, valueLength) => {
    headers.push([bytes.toString('utf8', nameAt, nameEnd), valueOf(bytes, valueAt, valueLength)]);
  });
  return headers;
}

/** As `lastHeader(readHeaders(bytes, at), name)`, without making the others. */
export function findLastHeader(bytes: Buffer, at: number, name: string): HeaderValue | undefined {
  // Most records have none.
  if (bytes[at] === 0) return undefined;
  let found: HeaderValue | undefined;
  eachHeader(bytes, at, (nameAt, nameEnd, valueAt, valueLength) => {
    if (isText(bytes, nameAt, nameEnd, name)) found = valueOf(bytes, valueAt, valueLength);
  });
  return found;
}

/** Names are ASCII, nearly all: to make a text of each costs more than comparing it. */
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
    // Garbage, from which there is no way on: only back, without end.
    if (nameLength < 0) return;
    const nameAt = reader.at;
    reader.at += nameLength;
    const length = reader.varint();
    on(nameAt, nameAt + nameLength, reader.at, length);
    reader.at += Math.max(length, 0);
  }
}
