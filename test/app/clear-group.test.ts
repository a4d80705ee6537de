import { beforeEach, describe, expect, it } from 'vitest';
import { clearGroup, type CopySuspected, type GhostRemoved } from '../../src/app/offsets/clear-group.ts';
import { markOf } from '../../src/app/offsets/plan.ts';
import type { GroupMember } from '../../src/ports/broker.ts';
import type { Processes } from '../../src/ports/processes.ts';
import { ModelFolder } from '../support/model.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';

let now: number;
let broker: ScriptedBroker;
let events: (GhostRemoved | CopySuspected)[];
let state: ReturnType<Processes['stateOf']>;
/** Called each time that the group is waited for. */
let onSleep: () => void;

beforeEach(() => {
  now = 0;
  broker = new ScriptedBroker();
  events = [];
  state = 'unknown';
  onSleep = () => undefined;
});

function member(about: Partial<GroupMember> = {}): GroupMember {
  const ours = { memberId: 'm', clientId: markOf('model-folder'), host: 'h' };
  return { ...ours, process: 'p', sessionTimeoutMs: 6_000, ...about };
}

async function clear(signal?: AbortSignal): Promise<void> {
  const clock = {
    now: () => now,
    elapsed: () => now,
    sleep: async (ms: number) => {
      now += ms;
      onSleep();
    },
  };
  const folder = new ModelFolder(clock);
  const store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  const of = { topic: 'orders', group: 'g', ...(signal === undefined ? {} : { signal }) };
  await clearGroup(
    await broker.admin(),
    { store, processes: { self: () => null, stateOf: () => state }, clock },
    of,
    (event) => events.push(event),
  );
}

describe('a member with the id of this folder', () => {
  it('is removed when its process is known to be dead, and for nothing else', async () => {
    broker.members = [member()];
    state = 'dead';
    await clear();
    expect([broker.removed, events]).toEqual([['m'], [{ kind: 'ghost_removed', group: 'g', memberId: 'm' }]]);

    // Between generations a group does not tell what its members said of themselves.
    broker.members = [member({ process: null, sessionTimeoutMs: null })];
    await expect(clear()).rejects.toMatchObject({ code: 'group_in_use' });
    expect(broker.removed).toEqual(['m']);
  });

  it('is waited for until its session must have ended, and is a copy when it lives on', async () => {
    broker.members = [member({ sessionTimeoutMs: 30_000 })];
    const failure = await clear().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 'group_in_use' });
    expect(now).toBeGreaterThanOrEqual(30_000);
    expect(now).toBeLessThan(40_000);
    expect(events).toEqual([{ kind: 'copy_suspected', group: 'g', host: 'h', forMs: 32_000 }]);
    expect(broker.removed).toEqual([]);
  });

  it('was nobody when its session ends', async () => {
    broker.members = [member()];
    onSleep = () => {
      if (now >= 5_000) broker.members = [];
    };
    await clear();
    expect(now).toBeLessThan(6_000);
    expect(broker.removed).toEqual([]);
  });

  it('that lives on this machine is refused at once, unless it is just dying', async () => {
    broker.members = [member({ sessionTimeoutMs: 30_000 })];
    state = 'alive';
    await expect(clear()).rejects.toMatchObject({ code: 'group_in_use' });
    expect(now).toBeLessThan(2_000);

    now = 0;
    onSleep = () => (state = 'dead');
    await clear();
    expect(broker.removed).toEqual(['m']);
  });

  it('does not hide another that is no ghost', async () => {
    broker.members = [member(), member({ clientId: 'rdkafka' })];
    state = 'dead';
    await expect(clear()).rejects.toMatchObject({
      code: 'group_in_use',
      message: expect.stringContaining('rdkafka') as unknown,
    });
    expect(broker.removed).toEqual([]);
  });

  it('is not waited for when a stop is asked', async () => {
    broker.members = [member()];
    const stop = new AbortController();
    onSleep = () => stop.abort();
    await expect(clear(stop.signal)).rejects.toMatchObject({ code: 'interrupted' });
    expect(now).toBeLessThan(1_000);
  });
});
