import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { finish, observe } from './cli.ts';
import { testBrokers, testRegistry } from './topics.ts';

const PRODUCER = path.resolve(import.meta.dirname, '../e2e/peers/producer.py');
export const python = process.env.ORDERCTL_TEST_PYTHON ?? 'python3';
/** Where everything must have run, a missing tool is a failure, not a reason to skip. */
const required = process.env.ORDERCTL_TEST_PEERS === 'required';

export function runs(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** Whether to skip tests that need a tool, with a message. */
export function absent(tool: string, isThere: () => boolean, install: string): boolean {
  if (required || isThere()) return false;
  process.stderr.write(`SKIPPED: tests with ${tool}, which is missing here; to run them: ${install}\n`);
  return true;
}

export const withoutPython = absent(
  'confluent-kafka',
  () => runs(python, ['-c', 'import confluent_kafka.schema_registry.avro']),
  'pip install -r test/e2e/peers/requirements.txt in a venv, and set ORDERCTL_TEST_PYTHON to its python',
);

export const withoutKcat = absent('kcat', () => runs('kcat', ['-V']), 'apt-get install kcat');

interface Job {
  readonly topic: string;
  readonly schema: object;
  readonly batches: readonly { readonly records: readonly object[]; readonly abort?: boolean }[];
  readonly compression?: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  readonly transactional_id?: string;
}

/** Orders sent by confluent-kafka with its own AvroSerializer, which registers the schema. */
export async function sendByPython(job: Job): Promise<void> {
  await must(
    python,
    [PRODUCER],
    JSON.stringify({ brokers: testBrokers(), registry: testRegistry(), ...job }),
  );
}

/** One record per line, the key before the first tab. */
export async function sendByKcat(topic: string, lines: readonly string[]): Promise<void> {
  await must('kcat', ['-P', '-b', testBrokers(), '-t', topic, '-K', '\t'], `${lines.join('\n')}\n`);
}

/** Runs a Python program on a job. @returns the JSON that it prints @throws Error when its exit code is not 0 */
export async function runPython(program: string, job: object, timeoutMs?: number): Promise<unknown> {
  return JSON.parse(await must(python, [program], JSON.stringify(job), timeoutMs));
}

/** kcat's output for a topic, one line per record: partition@offset, key, value, headers. */
export async function readByKcat(topic: string): Promise<string[]> {
  const format = '%p@%o\t%k\t%s\t%h\n';
  const args = ['-C', '-q', '-e', '-o', 'beginning', '-b', testBrokers(), '-t', topic, '-f', format];
  return (await must('kcat', args, '')).split('\n').filter((line) => line !== '');
}

/** Runs a program. @returns its output @throws Error when its exit code is not 0 */
export async function must(
  command: string,
  args: readonly string[],
  input: string,
  timeoutMs = 60_000,
): Promise<string> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const { code, stdout, stderr } = await finish(observe(child, command, input), command, timeoutMs);
  if (code !== 0) throw new Error(`${command} ended with ${code ?? 'a signal'}: ${stderr}`);
  return stdout;
}
