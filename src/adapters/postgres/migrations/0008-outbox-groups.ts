/*
 * A row of the outbox has all messages of a commit to one destination and shard: a row for each message took as long
 * to write as everything else about their orders. The column is renamed so that an older program, which would send a
 * row as one message, fails.
 */
export const OUTBOX_GROUPS = `
ALTER TABLE orderctl.outbox RENAME COLUMN body TO messages;
UPDATE orderctl.outbox SET messages = json_build_array(messages);
ALTER TABLE orderctl.outbox ADD COLUMN message_count integer NOT NULL DEFAULT 1;
ALTER TABLE orderctl.outbox ALTER COLUMN message_count DROP DEFAULT;
`;
