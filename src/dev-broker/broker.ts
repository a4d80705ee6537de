/** The parts that the requests work on. */
export interface Broker {
  /** The only node, and its id in the protocol. */
  readonly nodeId: number;
  readonly clusterId: string;
}
