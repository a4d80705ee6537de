import { count } from '../text.ts';

/** Of sales that a report cannot count as money. */
export function unpricedLine(lines: number): string {
  return `${count(lines, 'line')} sold without a price: they add nothing`;
}
