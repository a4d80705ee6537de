import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { voter } from '../../../deploy/kafka/broker.mjs';
import { freePort } from '../../../deploy/kafka/services.mjs';
import { Link, type Silence, type Way } from './link.ts';
import { Machine, NETWORKS, run, type NetworkName } from './machine.ts';
import type { OpenNetwork, Place } from './network.ts';

/** Addresses of networks that are not routed (RFC 2544). */
const PREFIX = '198.18';
/** The test's own address in each. */
const OURS = 254;

/** @returns what is missing on this machine; null if nothing is */
export function whyNoNamespaces(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'network namespaces need root on Linux';
  const name = `orderctl-try-${process.pid}`;
  const { status, stderr, error } = spawnSync('ip', ['netns', 'add', name], { encoding: 'utf8' });
  if (status !== 0) return `no network namespace can be made here: ${error?.message ?? stderr.trim()}`;
  spawnSync('ip', ['netns', 'del', name]);
  return null;
}

/**
 * Each node in its own network namespace, as if on its own machine: a cable to each of the three networks, which can be
 * pulled or slowed down; a small disk; a clock.
 */
export const openNamespaces: OpenNetwork = async (ids, options) => {
  const lan = Lan.open();
  const ours: Link[] = [];
  const close = (): void => {
    for (const link of ours) link.close();
    lan.close();
  };
  try {
    const places: Place[] = [];
    for (const id of ids) {
      const place = await placeOf(lan, id, options);
      ours.push(await Link.open(place.at.port, place.at.port, lan.address('test', id)));
      places.push(place);
    }
    return { places, close };
  } catch (error) {
    close();
    throw error;
  }
};

async function placeOf(
  lan: Lan,
  id: number,
  { folder, java }: { readonly folder: string; readonly java: string },
): Promise<Place> {
  const machine = lan.add(id, path.join(folder, String(id)));
  const [port, peersPort, controllerPort] = [await freePort(), await freePort(), await freePort()];
  const hosts = { clients: lan.address('clients', id), peers: lan.address('peers', id) };
  const peers = new Cable(machine, 'peers', id);
  return {
    id,
    machine,
    address: `${hosts.clients}:${port}`,
    voter: voter(id, controllerPort, hosts.peers),
    at: { port, peers: { port: peersPort, advertisedPort: peersPort }, controllerPort, hosts },
    java: machine.launcher(java),
    links: { clients: new Cable(machine, 'clients', id), peers, controller: peers },
  };
}

/** The cable from one node to one network. When pulled, it loses every packet; the node itself does not notice. */
class Cable implements Way {
  readonly #machine: Machine;
  readonly #network: NetworkName;
  readonly #id: number;

  constructor(machine: Machine, network: NetworkName, id: number) {
    this.#machine = machine;
    this.#network = network;
    this.#id = id;
  }

  silence(silence: Silence): void {
    const others = [1, 2, 3].filter((id) => id !== this.#id);
    const isPulled = this.#network === 'clients' ? silence(null) : others.every((id) => silence(id));
    this.#machine.plug(this.#network, !isPulled);
  }

  heal(): void {
    this.#machine.plug(this.#network, true);
  }

  /** The kernel of a machine whose process has died refuses connections by itself. */
  close(): void {
    this.heal();
  }

  async reopen(): Promise<void> {
    this.heal();
  }
}

/** By process id: the name of a link has fifteen characters at most. */
const TAG_BASE = 36;

function bridgeOf(tag: string, network: NetworkName): string {
  return `oc${tag}${network[0] ?? ''}`;
}

/** Removes the remains of killed tests: the cables disappear with the namespaces. */
function removeStale(): void {
  const tags = [...run('ip', 'netns', 'list').matchAll(/^orderctl-(\w+)-\d/gm)].map(([, tag = '']) => tag);
  for (const tag of new Set(tags)) {
    if (fs.existsSync(`/proc/${parseInt(tag, TAG_BASE)}`)) continue;
    for (const id of [1, 2, 3]) {
      const name = `orderctl-${tag}-${id}`;
      spawnSync('ip', ['netns', 'del', name]);
      // The node's disk.
      spawnSync('umount', ['-l', name]);
    }
    for (const network of NETWORKS) spawnSync('ip', ['link', 'del', bridgeOf(tag, network)]);
  }
}

/** Three bridges, and namespaces connected to them. */
class Lan {
  readonly #tag: string;
  readonly #third: number;
  readonly #machines: Machine[] = [];

  private constructor(tag: string, third: number) {
    this.#tag = tag;
    this.#third = third;
  }

  static open(): Lan {
    removeStale();
    const taken = run('ip', '-o', '-4', 'addr');
    const third = Array.from({ length: 80 }, (_, at) => 3 * at).find(
      (at) => !NETWORKS.some((_, n) => taken.includes(`${PREFIX}.${at + n}.`)),
    );
    if (third === undefined) throw new Error(`all networks of ${PREFIX} are taken`);
    const lan = new Lan(process.pid.toString(TAG_BASE), third);
    for (const network of NETWORKS) {
      const bridge = lan.bridge(network);
      run('ip', 'link', 'add', bridge, 'type', 'bridge');
      // Only the nodes are in the nodes' network.
      if (network !== 'peers') run('ip', 'addr', 'add', `${lan.address(network, OURS)}/24`, 'dev', bridge);
      run('ip', 'link', 'set', bridge, 'up');
    }
    return lan;
  }

  bridge(network: NetworkName): string {
    return bridgeOf(this.#tag, network);
  }

  address(network: NetworkName, id: number): string {
    return `${PREFIX}.${this.#third + NETWORKS.indexOf(network)}.${id}`;
  }

  add(id: number, folder: string): Machine {
    const machine = new Machine(`orderctl-${this.#tag}-${id}`, folder, (network) => ({
      bridge: this.bridge(network),
      outside: `${this.bridge(network)}${id}`,
    }));
    this.#machines.push(machine);
    for (const network of NETWORKS) machine.connect(network, `${this.address(network, id)}/24`);
    return machine;
  }

  close(): void {
    for (const machine of this.#machines) machine.close();
    for (const network of NETWORKS) spawnSync('ip', ['link', 'del', this.bridge(network)]);
  }
}
