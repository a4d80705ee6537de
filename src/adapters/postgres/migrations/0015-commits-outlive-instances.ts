/*
 * Keeps the last commit of a process that sleeps, which asks for it when it wakes: its row in `instances` may have
 * been deleted by then.
 */
export const COMMITS_OUTLIVE_INSTANCES = `
ALTER TABLE orderctl.instance_commits DROP CONSTRAINT instance_commits_instance_fkey,
  ADD COLUMN at timestamptz NOT NULL DEFAULT clock_timestamp();
`;
