import type { SendRecord } from '../../ports/broker.ts';

/** Records that are not orders, of every kind found in practice. */
export function garbage(count: number, random: () => number): SendRecord[] {
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => Math.floor(random() * 256));
  const KINDS: readonly (() => Uint8Array | null)[] = [
    () => null,
    // Neither Avro in the wire format nor JSON.
    () => Buffer.concat([Buffer.from([0x7f]), bytes(20)]),
    // A schema that no registry has.
    () => Buffer.concat([Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]), bytes(12)]),
    () => Buffer.from('{"order_id": "unfinished", '),
    () => Buffer.from(JSON.stringify({ user: 'alice', items: [] })),
    () =>
      Buffer.from(JSON.stringify({ order_id: '=HYPERLINK("x")', user: 'alice', item: 'pen', quantity: 1 })),
  ];
  const first = Math.floor(random() * KINDS.length);
  return Array.from({ length: count }, (_, at) => {
    const make = KINDS[(first + at) % KINDS.length];
    return { key: `garbage-${at + 1}`, value: make?.() ?? null };
  });
}
