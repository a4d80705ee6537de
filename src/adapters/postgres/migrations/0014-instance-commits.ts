/*
 * The last commit of each process that owns a store. In a table of its own, because the row of a process in
 * `instances` is written by its other session each second.
 */
export const INSTANCE_COMMITS = `
CREATE TABLE orderctl.instance_commits (
  instance uuid PRIMARY KEY REFERENCES orderctl.instances ON DELETE CASCADE,
  seq bigint NOT NULL
)`;
