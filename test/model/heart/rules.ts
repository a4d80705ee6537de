/**
 * The rules of the heart, each a switch. The tests turn one off at a time: the search then finds the shortest way to
 * what goes wrong, for all but `leasesShards`.
 */
export interface Rules {
  // Positions
  /** A position belongs to a group and a partition: two processors that read one topic have two. */
  readonly positionsByGroup: boolean;
  /** A transaction compares the position of its batch with the stored one. */
  readonly comparesPositions: boolean;
  /** The position moves in the transaction that holds what the batch decided. */
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
  /** Rows of one item are numbered once it is locked; those of transactions that lock nothing in common in any order. */
  readonly numbersUnderLock: boolean;
  /** All messages of one topic and key are in one shard. */
  readonly shardsByKey: boolean;
  /** Rows are deleted one by one, not up to the highest number sent. */
  readonly deletesById: boolean;
  /** Rows are deleted after they were sent. */
  readonly deletesAfterSending: boolean;
  /** Only one sender at a time has a shard. It saves repeats, and nothing rests on it. */
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
  /** Where an attempt before may have done it, the gateway is first asked what became of the key. */
  readonly looksUp: boolean;
  /** A call that moves something begins within the lease of its attempt, by the caller's clock. */
  readonly asksWithinLease: boolean;
  /** An answer counts only for the attempt that the store has counted last. */
  readonly comparesAttempts: boolean;
  /** An answer, and what it causes, are one commit. */
  readonly answersInOneCommit: boolean;
  /** The answer is decided on the facts of its own transaction: what was charged for an order that is unwanted by now is given back. */
  readonly answersSeeFacts: boolean;
  /** An effect is dropped only while nothing can have happened; after that it is looked up. */
  readonly dropsOnlyUndone: boolean;
  /** That one attempt surely did nothing says nothing of those before it. */
  readonly remembersDoubt: boolean;
  /** That nothing was charged is concluded only when every request has had the time to arrive. */
  readonly waitsForRequests: boolean;
  /** An effect that is tried no more becomes a dead letter. */
  readonly parksVisibly: boolean;
  /** The id of that dead letter has the number of the attempt: parked twice, it is two dead letters. */
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
 * What a folder may leave out. Its one owner commits in turn and sends alone, so numbers are in order by themselves
 * and a cursor is enough; it has no second instance that could be at a shard or at an effect.
 */
export const FOLDER_RULES: Rules = {
  ...RULES,
  numbersUnderLock: false,
  deletesById: false,
  leasesShards: false,
  comparesAttempts: false,
};
