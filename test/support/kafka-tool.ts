import path from 'node:path';
import { findJava, hasJars } from '../../deploy/kafka/install.mjs';
import { absent, must } from './peers.ts';
import { testBrokers } from './topics.ts';

const PROGRAM = path.resolve(import.meta.dirname, '../../deploy/kafka/kafka.mjs');

export const withoutKafkaTools = absent(
  "Kafka's own tools",
  isInstalled,
  'install Java 17 and Maven, and start npm run kafka once, which downloads the rest',
);

/** Tests do not download: that would take 200 MB and minutes. */
function isInstalled(): boolean {
  try {
    return hasJars() && findJava() !== '';
  } catch {
    return false;
  }
}

/** Runs one of Kafka's own command-line tools. @returns its output @throws Error when its exit code is not 0 */
export function runKafkaTool(tool: string, args: readonly string[]): Promise<string> {
  const all = [PROGRAM, 'tool', tool, '--bootstrap-server', testBrokers(), ...args];
  return must(process.execPath, all, '');
}
