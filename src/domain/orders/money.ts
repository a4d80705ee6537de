/** Decimal strings with two places, such as "12.50", as whole hundredths: sums of them are exact. */
export function hundredths(amount: string): bigint {
  return BigInt(amount.replace('.', ''));
}

/** @returns the decimal string of so many hundredths */
export function amountFrom(hundredths: bigint): string {
  const digits = String(hundredths < 0n ? -hundredths : hundredths).padStart(3, '0');
  return `${hundredths < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
