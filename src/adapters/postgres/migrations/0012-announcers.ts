/*
 * Which of the processes that own a store announce changes of stock: if there is one, it applies the edits that
 * others have made.
 */
export const ANNOUNCERS = `ALTER TABLE orderctl.instances ADD COLUMN announces boolean NOT NULL DEFAULT false`;
