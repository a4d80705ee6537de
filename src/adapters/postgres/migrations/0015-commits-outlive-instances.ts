/*
 * The last commit of a process that sleeps is there when it wakes, and asks for it: its row in `instances` may be gone by then.
 */
export const COMMITS_OUTLIVE_INSTANCES = `
ALTER TABLE orderctl.instance_commits DROP CONSTRAINT instance_commits_instance_fkey,
  ADD COLUMN at timestamptz NOT NULL DEFAULT clock_timestamp();
`;
