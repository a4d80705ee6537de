/** A protocol (an assignor's name) that a member supports. The broker never reads the metadata. */
export interface Protocol {
  readonly name: string;
  readonly metadata: Buffer;
}

/** A member of a group. `join` and `sync` are the tickets of its waiting requests. */
export interface Member {
  memberId: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  sessionTimeoutMs: number;
  rebalanceTimeoutMs: number;
  protocols: readonly Protocol[];
  assignment: Buffer;
  /** It has had no answer to a join yet, so it does not know its id and cannot send heartbeats. */
  isNew: boolean;
  /** When it is removed unless it sends a request. */
  expiresAt: number;
  join: number | null;
  sync: number | null;
}

/** A member as JSON; bytes are base64. */
export interface SavedMember {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocols: readonly { readonly name: string; readonly metadata: string }[];
  readonly assignment: string;
}

export const NO_ASSIGNMENT = Buffer.alloc(0);

/** Whether a member's protocols are unchanged. */
export function sameProtocols(left: readonly Protocol[], right: readonly Protocol[]): boolean {
  return (
    left.length === right.length &&
    left.every(({ name, metadata }, index) => {
      const other = right[index];
      return other?.name === name && other.metadata.equals(metadata);
    })
  );
}

export function metadataOf(member: Member, protocolName: string | null): Buffer {
  return member.protocols.find(({ name }) => name === protocolName)?.metadata ?? NO_ASSIGNMENT;
}

/** The names that every member supports. */
function commonProtocols(members: readonly Member[]): Set<string> {
  const [first, ...others] = members.map(({ protocols }) => new Set(protocols.map(({ name }) => name)));
  return new Set([...(first ?? [])].filter((name) => others.every((names) => names.has(name))));
}

/** Whether every member supports one of these. */
export function isSupported(members: readonly Member[], protocols: readonly Protocol[]): boolean {
  const common = commonProtocols(members);
  return protocols.some(({ name }) => common.has(name));
}

/** The common protocol that most members prefer; on a tie, the one voted for first. */
export function selectProtocol(members: readonly Member[]): string | null {
  const common = commonProtocols(members);
  const votes = new Map<string, number>();
  for (const { protocols } of members) {
    const vote = protocols.find(({ name }) => common.has(name));
    if (vote !== undefined) votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1);
  }
  let selected: string | null = null;
  for (const [name, count] of votes) {
    if (selected === null || count > (votes.get(selected) ?? 0)) selected = name;
  }
  return selected;
}
