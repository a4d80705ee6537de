/** A place for whole files with names: a folder, a bucket. */
export interface Objects {
  /** For messages: as it was given. */
  readonly name: string;
  /**
   * Puts a file in place, whole or not at all; one with the same bytes is left alone.
   *
   * @throws Failure write_failed (a folder), objects_unreachable, objects_refused (no such bucket, no right to it, or
   * somebody else changed the file at the same moment)
   */
  put(file: string, bytes: Uint8Array, contentType: string): Promise<'written' | 'unchanged'>;
}
