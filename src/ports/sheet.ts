/** The cells of a file exported from a spreadsheet, as text. */
export interface Sheet {
  /** The name of the file in messages. */
  readonly file: string;
  /** The line of the header, counted from 1. */
  readonly line: number;
  readonly header: readonly string[];
  /** The rows, without empty ones. */
  readonly rows: readonly { readonly line: number; readonly cells: readonly string[] }[];
  /** Whether decimals may be written with a comma, since cells are separated by another character. */
  readonly hasDecimalComma: boolean;
}
