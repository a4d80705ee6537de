import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { clockFrom } from '../faketime.ts';

/** Separate, as in a data centre: networks for clients, for nodes, and for the test, which is never cut. */
export const NETWORKS = ['clients', 'peers', 'test'] as const;
export type NetworkName = (typeof NETWORKS)[number];

/** Much more than a trial writes. */
const DISK = '256m';

/** The burst that a slow cable lets through without delay: ten packets. */
export const BURST_BYTES = 16_384;

interface Ends {
  readonly bridge: string;
  /** The end of the cable at the bridge. */
  readonly outside: string;
}

/** The traffic through one end of a cable. */
export interface Carried {
  readonly bytes: number;
  /** Packets that had to wait or were lost. */
  readonly held: number;
}

/** In the format of `tc`. */
interface Counted {
  readonly bytes: number;
  readonly drops: number;
  readonly overlimits: number;
}

/** The machine of a node. */
export class Machine {
  readonly #namespace: string;
  readonly #folder: string;
  readonly #ends: (network: NetworkName) => Ends;

  constructor(namespace: string, folder: string, ends: (network: NetworkName) => Ends) {
    this.#namespace = namespace;
    this.#folder = folder;
    this.#ends = ends;
    run('ip', 'netns', 'add', namespace);
    run('ip', '-n', namespace, 'link', 'set', 'lo', 'up');
    fs.mkdirSync(this.#disk, { recursive: true });
    run('mount', '-t', 'tmpfs', '-o', `size=${DISK}`, namespace, this.#disk);
    fs.writeFileSync(this.#clock, '+0');
  }

  /** Kafka's data, as deploy/kafka names it. */
  get #disk(): string {
    return path.join(this.#folder, 'kafka');
  }

  get #clock(): string {
    return path.join(this.#folder, 'clock');
  }

  connect(network: NetworkName, address: string): void {
    const { outside } = this.#ends(network);
    run('ip', 'link', 'add', outside, 'type', 'veth', 'peer', 'name', network, 'netns', this.#namespace);
    run('ip', '-n', this.#namespace, 'addr', 'add', address, 'dev', network);
    run('ip', '-n', this.#namespace, 'link', 'set', network, 'up');
    run('ip', 'link', 'set', outside, 'up');
    this.plug(network, true);
  }

  plug(network: NetworkName, isPlugged: boolean): void {
    const { bridge, outside } = this.#ends(network);
    run('ip', 'link', 'set', outside, ...(isPlugged ? ['master', bridge] : ['nomaster']));
  }

  /** In both directions; the queue holds a fifth of a second, and beyond that packets are lost. */
  limit(network: NetworkName, bitsPerSecond: number): void {
    const rate = ['rate', `${bitsPerSecond}bit`, 'burst', `${BURST_BYTES}b`, 'latency', '200ms'];
    this.#qdisc(network, 'replace', 'root', 'tbf', ...rate);
  }

  unlimit(network: NetworkName): void {
    this.#qdisc(network, 'del', 'root');
  }

  /** The traffic through each end of a cable since it was limited. */
  carried(network: NetworkName): Carried[] {
    const counted = this.#qdisc(network, 'show').flatMap((text) => JSON.parse(text) as Counted[]);
    return counted.map(({ bytes, drops, overlimits }) => ({ bytes, held: drops + overlimits }));
  }

  /** At both ends, since each end limits what leaves it: first the traffic to the node, then the traffic from it. */
  #qdisc(network: NetworkName, verb: 'replace' | 'del' | 'show', ...rest: readonly string[]): string[] {
    const tc = (device: string) => ['tc', '-s', '-j', 'qdisc', verb, 'dev', device, ...rest];
    return [
      run(...tc(this.#ends(network).outside)),
      run('ip', 'netns', 'exec', this.#namespace, ...tc(network)),
    ];
  }

  /** Fills the disk until nothing more can be written. */
  fillDisk(): void {
    const file = fs.openSync(this.#filler, 'w');
    try {
      for (let size = 1 << 20; size >= 1;) {
        try {
          fs.writeSync(file, Buffer.alloc(size));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
          size >>= 1;
        }
      }
    } finally {
      fs.closeSync(file);
    }
  }

  freeDisk(): void {
    fs.rmSync(this.#filler, { force: true });
  }

  get #filler(): string {
    return path.join(this.#disk, 'filler');
  }

  /** Sets the clock of the processes that run there, in seconds relative to this machine; effective within a second. */
  setClock(aheadS: number): void {
    fs.writeFileSync(this.#clock, aheadS >= 0 ? `+${aheadS}` : String(aheadS));
  }

  /** @returns a program that runs another program there */
  launcher(program: string): string {
    const file = path.join(this.#folder, 'launch');
    const clock = Object.entries(clockFrom(this.#clock)).map(([name, value]) => `export ${name}='${value}'`);
    const lines = ['#!/bin/sh', ...clock, `exec ip netns exec ${this.#namespace} ${program} "$@"`];
    fs.writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o755 });
    return file;
  }

  close(): void {
    spawnSync('ip', ['netns', 'del', this.#namespace]);
    for (const network of NETWORKS) spawnSync('ip', ['link', 'del', this.#ends(network).outside]);
    spawnSync('umount', ['-l', this.#disk]);
  }
}

/** @returns its output @throws Error with its messages, when it fails */
export function run(...[command = '', ...args]: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return stdout;
  throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}
