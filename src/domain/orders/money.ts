/** Converts a decimal string with two places, such as "12.50", to hundredths, whose sums are exact. */
export function hundredths(amount: string): bigint {
  return BigInt(amount.replace('.', ''));
}

/** Converts hundredths to a decimal string with two places. */
export function amountFrom(hundredths: bigint): string {
  const digits = String(hundredths < 0n ? -hundredths : hundredths).padStart(3, '0');
  return `${hundredths < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
