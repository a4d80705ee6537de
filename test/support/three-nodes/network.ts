import { voter, type KafkaNode } from '../../../deploy/kafka/broker.mjs';
import { freePort } from '../../../deploy/kafka/services.mjs';
import { Link, type Way } from './link.ts';
import type { Machine } from './machine.ts';

export interface Links {
  readonly clients: Way;
  readonly peers: Way;
  readonly controller: Way;
}

/** Where a node is, and the ways to it. */
export interface Place {
  readonly id: number;
  readonly at: Omit<KafkaNode, 'id' | 'folder' | 'voters'>;
  /** What clients are given. */
  readonly address: string;
  /** As the others reach its controller. */
  readonly voter: string;
  /** What runs it. */
  readonly java: string;
  readonly links: Links;
  /** Of its own, where it has one. */
  readonly machine?: Machine;
}

export interface Network {
  readonly places: readonly Place[];
  /** Once no node runs any more. */
  close(): void;
}

/** @param folder of the cluster; the node with an id has the one of that name in it */
export type OpenNetwork = (
  ids: readonly number[],
  options: { readonly folder: string; readonly java: string },
) => Promise<Network>;

/** All on the loopback of this machine, with a proxy on each way. */
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
        // A new leader of the controllers names its own address, and the others use that from then on.
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
  /** Of the proxy. */
  readonly advertisedPort: number;
}

async function linked(): Promise<Linked> {
  return { port: await freePort(), advertisedPort: await freePort() };
}
