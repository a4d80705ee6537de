import { expect, it } from 'vitest';
import { misspelledVariables } from '../../../src/cli/settings/misspelled.ts';
import { SETTINGS } from '../../../src/cli/settings/table.ts';

it.each([
  ['ORDERCTL_BROKER', 'ORDERCTL_BROKERS'],
  ['ORDERCTL_BORKERS', 'ORDERCTL_BROKERS'],
  ['orderctl_topic', 'ORDERCTL_TOPIC'],
  ['ORDERCTL_REGISTRY_URL', 'ORDERCTL_REGISTRY'],
  ['ORDERCTL_SASL_PASSWORD_FLE', 'ORDERCTL_SASL_PASSWORD_FILE'],
  ['ORDERCTL_SASL_USER', 'ORDERCTL_SASL_USERNAME'],
])('%s: did you mean %s?', (name, meant) => {
  expect(misspelledVariables({ [name]: 'x' })).toEqual([
    `${name} is not a setting and has no effect; did you mean ${meant}?`,
  ]);
});

it.each(['ORDERCTL_TEST_REGISTRY', 'ORDERCTL_SOMETHING_ELSE', 'ORDERCTL_', 'BROKER', 'KAFKA_BROKERS'])(
  '%s is no near miss',
  (name) => {
    expect(misspelledVariables({ [name]: 'x' })).toEqual([]);
  },
);

it('says nothing of those that are settings, or name the file of a secret', () => {
  const names = SETTINGS.flatMap((spec) =>
    'isSecret' in spec ? [spec.env, `${spec.env}_FILE`] : [spec.env],
  );
  expect(misspelledVariables(Object.fromEntries(names.map((name) => [name, 'x'])))).toEqual([]);
});
