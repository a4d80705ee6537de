/** Why a CSV file saved by a user was set aside without applying any of its changes. */
export type SetAside =
  /** It shares less than half of its rows with every known version. */
  | 'stranger'
  /** It matches several versions, which would give different stock. */
  | 'ambiguous'
  /** It may have been made from a version that is no longer known. */
  | 'forgotten'
  /** More than half of the rows are missing. */
  | 'rows_missing'
  /** It is truncated. */
  | 'half_saved'
  /** Another file replaced it before it was imported. */
  | 'overtaken';

/** The causes, as clauses that follow the name of the file. */
export const SET_ASIDE_CAUSES: Readonly<Record<SetAside, string>> = {
  stranger: 'it is not based on any version that orderctl has written',
  ambiguous: 'it matches more than one version, and its changes would differ',
  forgotten: 'it may have been made from a version that is no longer known',
  rows_missing: 'more than half of its rows are missing',
  half_saved: 'it ends in the middle, as if only half of it was saved',
  overtaken: 'another file was saved in its place',
};
