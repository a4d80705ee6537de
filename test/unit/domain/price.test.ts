import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { priceOf } from '../../../src/domain/orders/price.ts';

/** Half to even at two places, by whole numbers. @param unscaled the amount times 10^scale */
function expected(unscaled: bigint, scale: number): string | null {
  const size = unscaled < 0n ? -unscaled : unscaled;
  const wide = size * 100n;
  const unit = 10n ** BigInt(scale);
  let cents = wide / unit;
  const rest = (wide % unit) * 2n;
  if (rest > unit || (rest === unit && cents % 2n === 1n)) cents += 1n;
  if (cents >= 10n ** 10n) return null;
  const text = cents.toString().padStart(3, '0');
  return `${unscaled < 0n && cents > 0n ? '-' : ''}${text.slice(0, -2)}.${text.slice(-2)}`;
}

/** @returns the amount as a plain decimal */
function plain(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  return `${unscaled < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${digits.slice(digits.length - scale)}`}`;
}

describe('a price', () => {
  it.each<[unknown, string]>([
    [12.3, '12.30'],
    // 12.3 as a float of four bytes.
    [Math.fround(12.3), '12.30'],
    [4.8999999999999995, '4.90'],
    [3, '3.00'],
    [-0, '0.00'],
    ['0', '0.00'],
    ['012.5', '12.50'],
    ['-12.5', '-12.50'],
    ['-0.001', '0.00'],
    [' 12.50 ', '12.50'],
    ['+1', '1.00'],
    ['.5', '0.50'],
    ['5.', '5.00'],
    ['1.25e3', '1250.00'],
    [1e-7, '0.00'],
    ['1e-999999', '0.00'],
    ['0e999999', '0.00'],
    // Half to even.
    ['0.005', '0.00'],
    ['0.015', '0.02'],
    ['0.025', '0.02'],
    ['0.0250000000000000000000000001', '0.03'],
    [2.675, '2.68'],
    ['99999999.994', '99999999.99'],
  ])('is read from %j as %s', (value, price) => {
    expect(priceOf(value)).toBe(price);
  });

  it.each<[unknown]>([
    ['99999999.995'],
    [100_000_000],
    [1e21],
    ['1e999999'],
    [NaN],
    [Infinity],
    [-Infinity],
    ['12,50'],
    ['1 000'],
    ['1.2.3'],
    [''],
    [' '],
    ['.'],
    ['-'],
    ['e5'],
    ['NaN'],
    ['0x10'],
    ['١٢'],
    ['12.50 EUR'],
    [true],
    [{ amount: 12.5 }],
    [[12.5]],
    [null],
    [Buffer.from('12.50')],
  ])('is none in %j', (value) => {
    expect(priceOf(value)).toBe(null);
  });

  it('is rounded half to even, whatever its digits and however they are written', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n }), fc.nat(12), (unscaled, scale) => {
        const price = expected(unscaled, scale);
        expect(priceOf(plain(unscaled, scale))).toBe(price);
        expect(priceOf(`${unscaled}e-${scale}`)).toBe(price);
        const shifted = plain(unscaled, scale + 3);
        expect(priceOf(`${shifted}E+3`)).toBe(price);
      }),
      { numRuns: 500 },
    );
  });

  it('is none or ten digits with two places for anything at all, and the same when it is read again', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.double(), fc.string()), (value) => {
        const price = priceOf(value);
        if (price === null) return;
        expect(price).toMatch(/^-?\d{1,8}\.\d\d$/);
        expect(priceOf(price)).toBe(price);
      }),
      { numRuns: 1_000 },
    );
  });

  it('of millions of digits is read in no time', () => {
    const digits = '9'.repeat(4_000_000);
    const before = process.cpuUsage();
    expect(priceOf(`0.${digits}`)).toBe('1.00');
    expect(priceOf(digits)).toBe(null);
    expect(priceOf(`0.00${'0'.repeat(4_000_000)}1`)).toBe('0.00');
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(2_000);
  });
});
