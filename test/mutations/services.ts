import type { Mutation } from './list.ts';

/** Promises kept by the embedded broker and registry, and towards registries of others. */
export const SERVICES: readonly Mutation[] = [
  {
    name: 'two brokers may own one folder, when three want it and one is killed',
    file: 'src/dev-broker/folder-lock.ts',
    from: '    if (highest(folder) > mine) throw inUse();\n',
    to: '',
    tests: ['test/unit/dev-broker/folder-lock.test.ts'],
  },
  {
    name: 'an empty segment keeps old ones',
    file: 'src/dev-broker/log/retention.ts',
    from: 'return sizeBytes > 0 && !isOld && !isTooMuch;',
    to: 'return !isOld && !isTooMuch;',
    tests: ['test/unit/dev-broker/retention.test.ts'],
  },
  {
    name: 'offsets that a running group reads can be deleted',
    file: 'src/dev-broker/requests/47-offset-delete.ts',
    from: '      if (subscribed.has(topic)) return ERROR.GROUP_SUBSCRIBED_TO_TOPIC;\n',
    to: '',
    tests: ['test/unit/dev-broker/admin-requests.test.ts'],
  },
  {
    name: 'a producer with an open transaction is forgotten',
    file: 'src/dev-broker/log/producers.ts',
    from: 'EXPIRES_AFTER_MS && !this.#open.has(producerId)',
    to: 'EXPIRES_AFTER_MS',
    tests: ['test/unit/dev-broker/producers.test.ts'],
  },
  {
    name: 'a path of the registry that was given is replaced by that of Apicurio',
    file: 'src/adapters/avro/registry.ts',
    from: "answer.status !== 404 || new URL(this.#url).pathname !== '/'",
    to: 'answer.status !== 404',
    tests: ['test/unit/avro/registry-path.test.ts'],
  },
];
