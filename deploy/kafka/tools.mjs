// @ts-check
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { CannotStart } from './install.mjs';

/** Kafka's own command-line tools, by their names without `kafka-`. */
const TOOLS = new Map([
  ['acls', 'org.apache.kafka.tools.AclCommand'],
  ['configs', 'kafka.admin.ConfigCommand'],
  ['console-consumer', 'org.apache.kafka.tools.consumer.ConsoleConsumer'],
  ['console-producer', 'org.apache.kafka.tools.ConsoleProducer'],
  ['consumer-groups', 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand'],
  ['consumer-perf-test', 'org.apache.kafka.tools.ConsumerPerformance'],
  ['delete-records', 'org.apache.kafka.tools.DeleteRecordsCommand'],
  ['dump-log', 'org.apache.kafka.tools.DumpLogSegments'],
  ['get-offsets', 'org.apache.kafka.tools.GetOffsetShell'],
  ['groups', 'org.apache.kafka.tools.GroupsCommand'],
  ['log-dirs', 'org.apache.kafka.tools.LogDirsCommand'],
  ['producer-perf-test', 'org.apache.kafka.tools.ProducerPerformance'],
  ['topics', 'org.apache.kafka.tools.TopicCommand'],
  ['transactions', 'org.apache.kafka.tools.TransactionsCommand'],
]);

export const TOOL_NAMES = [...TOOLS.keys()];

/**
 * Runs a tool in this terminal.
 *
 * @param {import('./services.mjs').Installation} installation
 * @param {string | undefined} name
 * @param {string[]} args passed on unchanged
 * @returns {Promise<number>} its exit code
 * @throws {CannotStart} 2 for an unknown name
 */
export function runTool({ java, jars }, name, args) {
  const main = TOOLS.get((name ?? '').replace(/^kafka-/, '').replace(/\.sh$/, ''));
  if (main === undefined) {
    throw new CannotStart(
      `${name === undefined ? 'no tool was named' : `tool ${name} does not exist`}; the tools are: ${TOOL_NAMES.join(', ')}`,
      2,
    );
  }
  const run = [
    '-Xmx256m',
    '-XX:TieredStopAtLevel=1',
    `-Dlog4j2.configurationFile=${join(import.meta.dirname, 'log4j2.xml')}`,
  ];
  const child = spawn(java, [...run, '-cp', join(jars, 'kafka', '*'), main, ...args], { stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 130));
  });
}
