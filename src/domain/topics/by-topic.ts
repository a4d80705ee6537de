/** Groups values by topic, in the order in which topics first appear. */
export function byTopic<T extends { readonly topic: string }>(all: Iterable<T>): Map<string, T[]> {
  const topics = new Map<string, T[]>();
  for (const one of all) {
    const same = topics.get(one.topic);
    if (same === undefined) topics.set(one.topic, [one]);
    else same.push(one);
  }
  return topics;
}
