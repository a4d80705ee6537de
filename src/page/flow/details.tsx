import { useEffect } from 'preact/hooks';
import { every, listed, processors, refreshListed } from '../data/state.ts';
import { clock, counted, grouped } from '../text.ts';

const LOOK_EVERY_MS = 2_000;

/** The details of one processor. */
export function ProcessorDetails({ name, close }: { name: string; close: () => void }) {
  useEffect(() => every(LOOK_EVERY_MS, refreshListed), []);
  const entry = listed.value?.processors.find(({ processor }) => processor === name);
  const pids = processors.value.find((one) => one.name === name)?.pids ?? [];
  if (entry === undefined) return <p class="quiet">Loading {name} …</p>;
  const { state, records_per_second: rate, lag, last_commit_at: at, effects, group } = entry;
  const outcomes = Object.entries(entry.outcomes ?? {}).filter(([, count]) => count > 0);
  const wrong = [
    ...((entry.dead_lettered ?? 0) > 0 ? [`${grouped(entry.dead_lettered ?? 0)} dead-lettered`] : []),
    ...(effects.parked > 0 ? [`${grouped(effects.parked)} given up: see the dead letters`] : []),
  ];
  return (
    <div class="opened">
      <h3>
        {name}{' '}
        <button type="button" class="more" onClick={close}>
          Close
        </button>
      </h3>
      <dl>
        <dt>state</dt>
        <dd>
          {state}
          {pids.length === 0 ? '' : `, in process ${pids.join(' and ')}`}
        </dd>
        <dt>rate</dt>
        <dd>{rate === null ? '–' : `${rate.toFixed(1)} records a second`}</dd>
        <dt>lag</dt>
        <dd>{lag === null ? 'not known' : grouped(lag)}</dd>
        <dt>group</dt>
        <dd>
          <code>{group}</code>
        </dd>
        <dt>last commit</dt>
        <dd>{at === null ? 'none yet' : clock(at)}</dd>
        <dt>outcomes</dt>
        <dd>
          {outcomes.map(([what, count]) => `${grouped(count)} ${what.replaceAll('_', ' ')}`).join(', ') ||
            'none'}
          {entry.read === null ? '' : `, of ${grouped(entry.read)} read since it started`}
        </dd>
        {effects.owed === 0 ? null : (
          <>
            <dt>owed</dt>
            <dd>
              {counted(effects.owed, 'call')} to the outside, {grouped(effects.trying)} under way
              {effects.next_due_at === null ? '' : `, the next at ${clock(effects.next_due_at)}`}
            </dd>
          </>
        )}
        <dt>errors</dt>
        <dd class={wrong.length === 0 ? '' : 'bad'}>{wrong.join(', ') || 'none'}</dd>
      </dl>
      <Partitions of={entry.partitions ?? []} />
      <p class="quiet">
        <code>orderctl status</code> · <code>curl {location.origin}/processors</code>
      </p>
    </div>
  );
}

type Partition = NonNullable<NonNullable<typeof listed.value>['processors'][number]['partitions']>[number];

/** A row for each topic: `0@17 1@23` are its partitions, each with the offset to read next. */
function Partitions({ of }: { of: readonly Partition[] }) {
  if (of.length === 0) return null;
  const topics = [...new Set(of.map(({ topic }) => topic))];
  return (
    <div class="scrolls" tabIndex={0} role="region" aria-label="Partitions">
      <table>
        <thead>
          <tr>
            <th scope="col">topic</th>
            <th scope="col">lag</th>
            <th scope="col">partitions, each with the offset to read next</th>
          </tr>
        </thead>
        <tbody>
          {topics.map((topic) => {
            const its = of.filter((one) => one.topic === topic);
            return (
              <tr key={topic}>
                <td>{topic}</td>
                <td>{grouped(its.reduce((sum, { lag }) => sum + lag, 0))}</td>
                <td>
                  <code>{its.map(({ partition, next }) => `${partition}@${next}`).join(' ')}</code>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
