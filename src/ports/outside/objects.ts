/** A destination for named files: a folder or a bucket. */
export interface Objects {
  /** The name in messages: as the user gave it. */
  readonly name: string;
  /**
   * Writes a file atomically. A file with the same content is left unchanged.
   *
   * @throws Failure write_failed (a folder), objects_unreachable, objects_refused (the bucket does not exist,
   * permission is missing, or another client changed the file at the same time)
   */
  put(file: string, bytes: Uint8Array, contentType: string): Promise<'written' | 'unchanged'>;
}
