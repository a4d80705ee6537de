/** The processes of this machine, for telling the dead from the living. */
export interface Processes {
  /** A text that identifies this process among all, ever; null where the operating system does not say. */
  self(): string | null;
  /**
   * @param identity what `self` of that process was
   * @returns `unknown`: it ran on another machine, before this one was started, or in another container
   */
  stateOf(identity: string): 'alive' | 'dead' | 'unknown';
}
