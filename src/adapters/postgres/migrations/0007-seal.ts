/*
 * A store that nobody may change: it was copied to another one ({"why": "copied"}), or is a copy that is not whole yet
 * ({"why": "incomplete"}). null: neither.
 */
export const SEAL = `ALTER TABLE orderctl.shop ADD COLUMN sealed json`;
