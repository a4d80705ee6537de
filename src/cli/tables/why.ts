/** A flag of every command that edits a table. */
export const WHY = ['--why <TEXT>', 'the reason, for the edit log'] as const;

export interface WhyFlag {
  why?: string;
}
