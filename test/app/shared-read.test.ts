import { expect, it } from 'vitest';
import type { AuditResult } from '../../src/app/audit/audit.ts';
import { audit } from '../../src/app/audit/audit.ts';
import { SharedRead, SharedReads } from '../../src/app/shared-read.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';

function audits() {
  const clock = new FakeClock();
  const runs: { signal: AbortSignal; end: (result: Partial<AuditResult>) => void }[] = [];
  const shared = new SharedRead<AuditResult>(
    'audit',
    (signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        runs.push({ signal, end: (result) => resolve(result as AuditResult) });
      }),
    clock,
  );
  return { clock, runs, shared };
}

const never = new AbortController().signal;

it('one read runs at a time, for all who wait for it, and its result is good for a while', async () => {
  const { clock, runs, shared } = audits();
  const asked = [shared.result(never), shared.result(never)];
  const at = clock.now();
  clock.time += 1_000;
  runs[0]?.end({ total: 0 });
  expect((await Promise.all(asked)).map((dated) => dated.at)).toEqual([at, at]);
  clock.time += 4_999;
  expect((await shared.result(never)).at).toBe(at);
  clock.time += 2;
  const again = shared.result(never);
  runs[1]?.end({ total: 1 });
  expect((await again).result.total).toBe(1);
  expect(runs).toHaveLength(2);
});

it('it ends when all who wait for it have gone, and the next one who asks starts another', async () => {
  const { runs, shared } = audits();
  const [one, other] = [new AbortController(), new AbortController()];
  const asked = [shared.result(one.signal), shared.result(other.signal)];
  one.abort(new Error('gone'));
  await expect(asked[0]).rejects.toThrow('gone');
  expect(runs[0]?.signal.aborted).toBe(false);
  other.abort(new Error('gone too'));
  await expect(asked[1]).rejects.toThrow('gone too');
  expect(runs[0]?.signal.aborted).toBe(true);
  const next = shared.result(never);
  runs[1]?.end({ total: 0 });
  expect((await next).result.total).toBe(0);
});

it('an audit that nobody waits for stops reading', async () => {
  const folder = new ModelFolder(new FakeClock());
  await folder.edit({ kind: 'item.add', item: 'pen', quantity: 3 });
  const signal = AbortSignal.abort(new Error('gone'));
  const options = { topic: null, repair: false, onNotice: () => undefined };
  await expect(audit(folder, { ...options, signal })).rejects.toThrow('gone');
  expect((await audit(folder, options)).total).toBe(0);
});

it('reads for different questions run one after the other, and those of one question share theirs', async () => {
  const reads = new SharedReads<string>('report show', new FakeClock());
  const runs: { readonly question: string; readonly end: () => void }[] = [];
  const ask = (question: string, signal = never): Promise<string> =>
    reads
      .of(question, () => new Promise((resolve) => runs.push({ question, end: () => resolve(question) })))
      .result(signal)
      .then(({ result }) => result);
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const gone = new AbortController();
  const asked = [ask('Monday'), ask('Tuesday'), ask('Monday')];
  const left = ask('Wednesday', gone.signal).catch(() => 'gone');
  await turn();
  expect(runs.map(({ question }) => question)).toEqual(['Monday']);
  gone.abort(new Error('went away'));
  runs[0]?.end();
  await turn();
  runs[1]?.end();
  expect(await Promise.all(asked)).toEqual(['Monday', 'Tuesday', 'Monday']);
  expect(await left).toBe('gone');
  expect(runs).toHaveLength(2);
});
