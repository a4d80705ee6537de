/** Tells whether processes of this machine are alive. */
export interface Processes {
  /** A globally unique identity of this process; null if the operating system offers none. */
  self(): string | null;
  /**
   * @param identity the `self` of a process
   * @returns `unknown`: it ran on another machine, before this machine was booted, or in another container
   */
  stateOf(identity: string): 'alive' | 'dead' | 'unknown';
}
