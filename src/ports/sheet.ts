/** What a spreadsheet has exported, as text cell by cell. */
export interface Sheet {
  /** How messages name the file. */
  readonly file: string;
  /** The line of the header, counted from 1. */
  readonly line: number;
  readonly header: readonly string[];
  /** Without those whose cells are all empty. */
  readonly rows: readonly { readonly line: number; readonly cells: readonly string[] }[];
  /** Decimals are written with a comma: cells are separated by something else. */
  readonly hasDecimalComma: boolean;
}
