import { voter, type KafkaNode } from '../../../deploy/kafka/broker.mjs';
import { freePort } from '../../../deploy/kafka/services.mjs';
import { Link, type Way } from './link.ts';
import type { Machine } from './machine.ts';

export interface Links {
  readonly clients: Way;
  readonly peers: Way;
  readonly controller: Way;
}

/** The location of a node, and the paths to it. */
export interface Place {
  readonly id: number;
  readonly at: Omit<KafkaNode, 'id' | 'folder' | 'voters'>;
  /** The address for clients. */
  readonly address: string;
  /** The address at which the other nodes reach its controller. */
  readonly voter: string;
  /** The program that runs it. */
  readonly java: string;
  readonly links: Links;
  /** The node's machine, if it has its own. */
  readonly machine?: Machine;
}

export interface Network {
  readonly places: readonly Place[];
  /** To be called once no node runs any more. */
  close(): void;
}

/** @param folder of the cluster; it contains a folder for each node, named by its id */
export type OpenNetwork = (
  ids: readonly number[],
  options: { readonly folder: string; readonly java: string },
) => Promise<Network>;

/** All nodes on this machine's loopback, with a proxy on each path. */
export const openLoopback: OpenNetwork = async (ids, { java }) => {
  const ours: Link[] = [];
  const open = async ({ port, advertisedPort }: Linked): Promise<Link> => {
    const link = await Link.open(advertisedPort, port);
    ours.push(link);
    return link;
  };
  const places = ids.map(async (id): Promise<Place> => {
    const [clients, peers, controller] = [await linked(), await linked(), await linked()];
    return {
      id,
      java,
      address: `127.0.0.1:${clients.advertisedPort}`,
      at: {
        ...clients,
        peers,
        controllerPort: controller.port,
        // A new leader of the controllers names its own address, which the others use from then on.
        advertisedControllerPort: controller.advertisedPort,
      },
      voter: voter(id, controller.advertisedPort),
      links: { clients: await open(clients), peers: await open(peers), controller: await open(controller) },
    };
  });
  const close = (): void => {
    for (const link of ours) link.close();
  };
  return { places: await Promise.all(places), close };
};

interface Linked {
  readonly port: number;
  /** The port of the proxy. */
  readonly advertisedPort: number;
}

async function linked(): Promise<Linked> {
  return { port: await freePort(), advertisedPort: await freePort() };
}
