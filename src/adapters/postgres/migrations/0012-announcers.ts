/*
 * Which of the processes that own a store announce what changes stock: what others have edited is for one of them to take in,
 * where there is one.
 */
export const ANNOUNCERS = `ALTER TABLE orderctl.instances ADD COLUMN announces boolean NOT NULL DEFAULT false`;
