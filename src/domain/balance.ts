/** The books in one line: put in − sold + moved = on hand. Units of all items. */
export interface Balance {
  /** What edits added, less what they took away. */
  readonly putIn: number;
  readonly sold: number;
  /** What movements of other causes added, less what they took. */
  readonly moved: number;
  readonly onHand: number;
  readonly accepted: number;
  readonly rejected: number;
  /** An item whose sum is another than what is on hand of it. */
  readonly difference: { readonly item: string; readonly expected: number; readonly actual: number } | null;
}
