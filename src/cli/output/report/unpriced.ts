import { count } from '../text.ts';

/** Names the number of sales that a report cannot count as revenue. */
export function unpricedLine(lines: number): string {
  return `${count(lines, 'line')} sold without a price: not counted as revenue`;
}
