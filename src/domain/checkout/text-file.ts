/** A file written by the user. */
export interface TextFile {
  readonly name: string;
  readonly path: string;
  readonly text: string;
}
