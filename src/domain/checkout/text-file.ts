/** A file that the user wrote. */
export interface TextFile {
  readonly name: string;
  readonly path: string;
  readonly text: string;
}
