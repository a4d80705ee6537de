/** Why a CSV that a user has saved was kept aside, and nothing of it counts. */
export type SetAside =
  /** It shares less than half its rows with any known version. */
  | 'stranger'
  /** It fits several versions, and stock would differ. */
  | 'ambiguous'
  /** It may have been made from a version that is no longer known. */
  | 'forgotten'
  /** More than half of the rows are missing. */
  | 'rows_missing'
  /** It ends in the middle. */
  | 'half_saved'
  /** Another file was put in its place before it was taken in. */
  | 'overtaken';

/** In words that follow the name of the file. */
export const SET_ASIDE_CAUSES: Readonly<Record<SetAside, string>> = {
  stranger: 'it is not based on any version that orderctl has written',
  ambiguous: 'it fits more than one version, and what it changes would differ',
  forgotten: 'it may have been made from a version that is no longer known',
  rows_missing: 'more than half of its rows are missing',
  half_saved: 'it ends in the middle, as if it was saved by half',
  overtaken: 'another file was saved in its place',
};
