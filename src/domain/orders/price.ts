/** Prices travel as Avro decimal(10, 2): up to eight digits before the point, two after. */
const WHOLE_DIGITS = 8;
const PLACES = 2;
/** A sign, digits with or without a point, and a power of ten. */
const AMOUNT = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/;
/** An amount with a greater negative exponent than this rounds to zero. */
const MAX_SHIFT = 1_000;

/**
 * Converts the price in an order of any producer to a decimal string with two places, rounding half to even. It never
 * throws, since the price of a direct order does not affect the decision.
 *
 * @returns null if the value is not an amount, or has more digits than a price
 */
export function priceOf(value: unknown): string | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const match = AMOUNT.exec(String(value).trim());
  if (match === null) return null;
  const [, sign = '', before = '', after = '', exponent = '0'] = match;
  if (before === '' && after === '') return null;
  const digits = (before + after).replace(/^0+/, '');
  // The digits before the point, counted from the first digit that is not zero.
  const point = digits.length - after.length + Number(exponent);
  if (digits === '' || point < -MAX_SHIFT) return '0.00';
  if (point > WHOLE_DIGITS) return null;
  const hundredths = roundHalfEven(digits, point + PLACES);
  const text = String(hundredths).padStart(PLACES + 1, '0');
  const whole = text.slice(0, -PLACES);
  if (whole.length > WHOLE_DIGITS) return null;
  return `${sign === '-' && hundredths > 0 ? '-' : ''}${whole}.${text.slice(-PLACES)}`;
}

/** @param kept the number of digits to keep; below zero: the number of zeros before the first digit, negated */
function roundHalfEven(digits: string, kept: number): number {
  const whole = Number(digits.slice(0, Math.max(0, kept)).padEnd(Math.max(0, kept), '0'));
  if (kept < 0 || kept >= digits.length) return whole;
  const first = Number(digits[kept]);
  const isTie = first === 5 && /^0*$/.test(digits.slice(kept + 1));
  const isUp = isTie ? whole % 2 === 1 : first >= 5;
  return isUp ? whole + 1 : whole;
}

/** Leading zeros, and zeros after the second decimal place, are ignored. */
const EXACT = /^(-?)0*(\d{1,8})(?:\.(\d{0,2})0*)?$/;

/**
 * Converts an amount of money to a decimal string with two places. Unlike priceOf it never rounds.
 *
 * @returns null if the value is not an amount with at most eight digits before the point and two after it
 */
export function amountOf(value: unknown): string | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const match = EXACT.exec(String(value));
  if (match === null) return null;
  const [, sign = '', whole = '', places = ''] = match;
  const text = `${whole}.${places.padEnd(PLACES, '0')}`;
  return sign === '' || text === '0.00' ? text : `-${text}`;
}
