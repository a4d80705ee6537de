/**
 * The rules of the heart, each a switch. The tests turn off one at a time: the search then finds the shortest path to a
 * violation, for all but `leasesShards`.
 */
export interface Rules {
  // Positions
  /** A position belongs to a group and a partition: two processors that read one topic have two positions. */
  readonly positionsByGroup: boolean;
  /** A transaction compares the position of its batch with the stored position. */
  readonly comparesPositions: boolean;
  /** The position moves in the transaction that stores what the batch decided. */
  readonly movesPositionInCommit: boolean;
  /** A repeated record is recognised by the facts of its order. */
  readonly knowsFacts: boolean;

  // Outbox
  /** Outgoing messages are committed with the decision that caused them. */
  readonly hasOutbox: boolean;
  /** Nothing is sent before that commit. */
  readonly sendsAfterCommit: boolean;
  /** A message id follows from what happened, not from the sending. */
  readonly idsFromCauses: boolean;
  /**
   * Rows of one item are numbered after it is locked; rows of transactions that share no lock are numbered in any
   * order.
   */
  readonly numbersUnderLock: boolean;
  /** All messages of one topic and key are in one shard. */
  readonly shardsByKey: boolean;
  /** Rows are deleted one by one, not up to the highest number sent. */
  readonly deletesById: boolean;
  /** Rows are deleted only after they were sent. */
  readonly deletesAfterSending: boolean;
  /** Only one sender at a time has a shard. It prevents repeats, but no property depends on it. */
  readonly leasesShards: boolean;
  /** Readers of an item ignore a revision that is not higher. */
  readonly readsByRevision: boolean;

  // Effects
  /** An effect is committed with the decision that caused it. */
  readonly addsEffectsInCommit: boolean;
  /** A call is made after the commit that counts it as an attempt. */
  readonly countsBeforeCalls: boolean;
  /** All attempts have one key. */
  readonly keepsKey: boolean;
  /** If an earlier attempt may have succeeded, the gateway is first asked for the outcome of the key. */
  readonly looksUp: boolean;
  /** A call that moves money or goods starts within the lease of its attempt, by the caller's clock. */
  readonly asksWithinLease: boolean;
  /** An answer counts only for the attempt that the store counted last. */
  readonly comparesAttempts: boolean;
  /** An answer and what it causes are committed together. */
  readonly answersInOneCommit: boolean;
  /**
   * The answer is decided on the facts in its own transaction: a charge for an order that is no longer wanted is
   * refunded.
   */
  readonly answersSeeFacts: boolean;
  /** An effect is dropped only while nothing can have happened; after that it is looked up. */
  readonly dropsOnlyUndone: boolean;
  /** If one attempt certainly did nothing, the attempts before it may still have succeeded. */
  readonly remembersDoubt: boolean;
  /** "Nothing was charged" is concluded only after every request has had time to arrive. */
  readonly waitsForRequests: boolean;
  /** An effect that is not tried any more becomes a dead letter. */
  readonly parksVisibly: boolean;
  /** The id of that dead letter contains the number of the attempt: an effect parked twice has two dead letters. */
  readonly numbersParkings: boolean;
  /** A redrive is one more attempt, not a first one. */
  readonly redrivesTheSame: boolean;
}

export const RULES: Rules = {
  positionsByGroup: true,
  comparesPositions: true,
  movesPositionInCommit: true,
  knowsFacts: true,
  hasOutbox: true,
  sendsAfterCommit: true,
  idsFromCauses: true,
  numbersUnderLock: true,
  shardsByKey: true,
  deletesById: true,
  deletesAfterSending: true,
  leasesShards: true,
  readsByRevision: true,
  addsEffectsInCommit: true,
  countsBeforeCalls: true,
  keepsKey: true,
  looksUp: true,
  asksWithinLease: true,
  comparesAttempts: true,
  answersInOneCommit: true,
  answersSeeFacts: true,
  dropsOnlyUndone: true,
  remembersDoubt: true,
  waitsForRequests: true,
  parksVisibly: true,
  numbersParkings: true,
  redrivesTheSame: true,
};

/**
 * The rules that a folder may leave out. Its single owner commits one transaction at a time and is the only sender, so
 * numbers are in order and a cursor is enough; no second instance could work on a shard or an effect.
 */
export const FOLDER_RULES: Rules = {
  ...RULES,
  numbersUnderLock: false,
  deletesById: false,
  leasesShards: false,
  comparesAttempts: false,
};
