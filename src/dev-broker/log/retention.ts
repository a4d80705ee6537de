/** How long a topic keeps its records. */
export interface Retention {
  /** cleanup.policy includes `delete`. */
  readonly deletes: boolean;
  /** -1 for no limit. */
  readonly retentionMs: number;
  /** Of one partition; -1 for no limit. */
  readonly retentionBytes: number;
}

/**
 * How many of these segments, oldest first, exceed retention. By time: the youngest record is too old. By size: the
 * segments that follow reach the limit alone. Segments without timestamps never grow old; empty ones do not count.
 */
export function outlived(
  segments: readonly { readonly sizeBytes: number; readonly maxTimestamp: number }[],
  { deletes, retentionMs, retentionBytes }: Retention,
  nowMs: number,
): number {
  if (!deletes) return 0;
  let followingBytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const kept = segments.findIndex(({ sizeBytes, maxTimestamp }) => {
    followingBytes -= sizeBytes;
    const isOld = retentionMs >= 0 && maxTimestamp >= 0 && nowMs - maxTimestamp > retentionMs;
    const isTooMuch = retentionBytes >= 0 && followingBytes >= retentionBytes;
    return sizeBytes > 0 && !isOld && !isTooMuch;
  });
  return kept === -1 ? segments.length : kept;
}
