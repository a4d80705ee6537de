/** The processes of this machine, for telling the dead from the living. */
export interface Processes {
  /** This process, by a text that no other process ever has; null where the operating system does not say. */
  self(): string | null;
  /**
   * @param identity what `self` of that process was
   * @returns `unknown`: it ran on another machine, before this one was started, or in another container
   */
  stateOf(identity: string): 'alive' | 'dead' | 'unknown';
}
