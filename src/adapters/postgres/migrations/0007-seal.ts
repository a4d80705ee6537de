/*
 * A sealed store must not be changed: it was copied to another one ({"why": "copied"}), or is an incomplete copy
 * ({"why": "incomplete"}). null: not sealed.
 */
export const SEAL = `ALTER TABLE orderctl.shop ADD COLUMN sealed json`;
