/** A position in a trace: https://www.w3.org/TR/trace-context/#traceparent-header */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits, `parent-id` in the header. */
  readonly spanId: string;
  /** Whether the caller that started the trace records it. */
  readonly isSampled: boolean;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})$/;

export function isTraceparent(text: string | null): text is string {
  return text !== null && TRACEPARENT.test(text);
}

/** @returns null if the text is not a valid `traceparent`, which must be ignored */
export function parseTraceparent(text: string | null): TraceContext | null {
  const [, traceId, spanId, flags = ''] = (text === null ? null : TRACEPARENT.exec(text)) ?? [];
  if (traceId === undefined || spanId === undefined) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** @param traceparent a valid one @returns whether the one who began the trace records it */
export function isSampled(traceparent: string): boolean {
  return (Number.parseInt(traceparent.slice(-1), 16) & 1) === 1;
}

export function formatTraceparent({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

/** As formatTraceparent writes it; the digits are filled in. */
const MADE = Buffer.from(`00-1${'0'.repeat(31)}-1${'0'.repeat(15)}-00`);
/** Where the eight digits of each word begin. One of each part stays 1: no hash excludes that all others are zeros. */
const WORDS_AT = [3, 11, 19, 27, 36, 44] as const;
const DIGITS = Buffer.from('0123456789abcdef');

/** A `traceparent` derived from an id, always the same one, not sampled. */
export function unsampledTrace(id: string): string {
  // Two 32-bit hashes in one pass over the text, then mixed to six words: this runs for each event.
  let a = 0x811c9dc5;
  let b = 0x9e3779b1;
  for (let at = 0; at < id.length; at++) {
    const unit = id.charCodeAt(at);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x85ebca6b) ^ (b >>> 15);
  }
  for (let word = 0; word < WORDS_AT.length; word++) {
    a = (a + 0x9e3779b9) | 0;
    let rest = mixed(a) ^ Math.imul(mixed(b + word), 0x27d4eb2f);
    const from = WORDS_AT[word] ?? 0;
    const isFirst = word === 0 || word === 4;
    for (let place = from + 7; place >= (isFirst ? from + 1 : from); place--) {
      MADE[place] = DIGITS[rest & 0xf] ?? 0;
      rest >>>= 4;
    }
  }
  return MADE.toString('latin1');
}

/** The finalizer of MurmurHash3, so that similar ids give different traces. */
function mixed(word: number): number {
  let hash = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
