/** The flag of commands that edit a table. */
export const WHY = ['--why <TEXT>', 'the reason, for the log of edits'] as const;

export interface WhyFlag {
  why?: string;
}
