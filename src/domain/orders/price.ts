/** Prices travel as Avro decimal(10, 2): up to eight digits before the point, two after. */
const WHOLE_DIGITS = 8;
const PLACES = 2;
/** A sign, digits with or without a point, and a power of ten. */
const AMOUNT = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/;
/** Where digits are moved farther than this, nothing or nothing but zeros is left. */
const MAX_SHIFT = 1_000;

/**
 * The price that an order of any producer names: a decimal string with two places, rounded half to even where there
 * are more. A price decides nothing, so that this is total.
 *
 * @returns null when it is not an amount, or one of more digits than a price has
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

/** @param kept how many of the digits stay; below zero, so many zeros stand before them */
function roundHalfEven(digits: string, kept: number): number {
  const whole = Number(digits.slice(0, Math.max(0, kept)).padEnd(Math.max(0, kept), '0'));
  if (kept < 0 || kept >= digits.length) return whole;
  const first = Number(digits[kept]);
  const isTie = first === 5 && /^0*$/.test(digits.slice(kept + 1));
  const isUp = isTie ? whole % 2 === 1 : first >= 5;
  return isUp ? whole + 1 : whole;
}

/** Zeros before the digits and after the second place mean nothing. */
const EXACT = /^(-?)0*(\d{1,8})(?:\.(\d{0,2})0*)?$/;

/**
 * An amount of money that counts, unlike the price of an order: never rounded.
 *
 * @returns null when it is not an amount of at most eight digits before the point and two after
 */
export function amountOf(value: unknown): string | null {
  if (typeof value !== 'string' && typeof value !== 'number') return null;
  const match = EXACT.exec(String(value));
  if (match === null) return null;
  const [, sign = '', whole = '', places = ''] = match;
  const text = `${whole}.${places.padEnd(PLACES, '0')}`;
  return sign === '' || text === '0.00' ? text : `-${text}`;
}
