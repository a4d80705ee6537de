/** The parser of an option that may be repeated: all its values, in their order. */
export function collect(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value];
}
