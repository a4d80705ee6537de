import { expect, it } from 'vitest';

import { crc32c } from '../../src/crc32c.ts';

it('is CRC-32C, whatever the range and its alignment', () => {
  // The check value of the Castagnoli polynomial's definition, and RFC 3720 B.4.
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(34, 0xff), 1, 33)).toBe(0x62a8ab43);
  const bytes = Buffer.from('some bytes before, 123456789 and some behind');
  expect(crc32c(bytes, 19, 28)).toBe(0xe3069283);
});
