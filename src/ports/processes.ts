/** The processes of this machine, to distinguish dead from living ones. */
export interface Processes {
  /** A globally unique identity of this process; null where the operating system offers none. */
  self(): string | null;
  /**
   * @param identity what `self` of that process was
   * @returns `unknown`: it ran on another machine, before this one was started, or in another container
   */
  stateOf(identity: string): 'alive' | 'dead' | 'unknown';
}
