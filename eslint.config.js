import { readdirSync } from 'node:fs';
import js from '@eslint/js';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/**
 * What the parts of src may import, as docs/how-it-works.md draws it: their own files, these other parts, these
 * packages, and Node's modules or not. Everything that is not named is refused, and so is a part that is not named.
 */
const PARTS = {
  domain: { parts: [], packages: [] },
  ports: { parts: ['domain'], packages: [] },
  processors: { parts: ['domain'], packages: [] },
  // What can be computed again from facts.
  views: { parts: ['domain'], packages: [] },
  app: { parts: ['domain', 'ports', 'processors', 'views'], packages: [] },
  // What the browser runs: it speaks HTTP only, and knows of the rest what the answers look like.
  page: { parts: ['documents'], packages: ['preact', '@preact/signals'] },
  documents: { parts: ['domain', 'ports', 'views'], packages: ['typebox'] },
  http: {
    parts: ['domain', 'ports', 'app', 'documents', 'views'],
    packages: ['fastify', '@fastify', 'typebox'],
    node: true,
  },
  cli: {
    parts: [
      'domain',
      'ports',
      'app',
      'documents',
      'views',
      'http',
      'compose.ts',
      'dev-broker',
      'dev-gateway',
    ],
    packages: ['commander', 'chalk', 'cli-progress', 'string-width', 'csv-stringify'],
    node: true,
  },
  'compose.ts': { parts: ['domain', 'ports', 'app', 'adapters'], packages: ['uuid'], node: true },
  // A broker of its own, which knows nothing of orders.
  'dev-broker': { parts: ['crc32c.ts', 'directories.ts'], packages: [], node: true },
  // A payment gateway to play with. Its books are lines of a file as the broker's logs are.
  'dev-gateway': { parts: ['dev-broker'], packages: [], node: true },
  // Kafka's checksum of a record batch. The one leaf that both sides of the protocol share: it knows neither.
  'crc32c.ts': { parts: [], packages: [] },
  // Making directories, and their names durable: a leaf that all share who write files.
  'directories.ts': { parts: [], packages: [], node: true },
};

/** An adapter meets the ports and knows no other adapter; a technology's packages are known to one adapter only. */
const ADAPTERS = {
  avro: { packages: ['avsc'] },
  files: { packages: ['csv-parse'], parts: ['directories.ts'] },
  gateway: { packages: [] },
  kafka: { packages: ['kafkajs', 'snappy', 'lz4-napi', 'fzstd'], parts: ['crc32c.ts'] },
  objects: { packages: ['aws4fetch'], parts: ['directories.ts'] },
  otlp: { packages: [] },
  postgres: { packages: ['pg'], parts: ['directories.ts'] },
  prometheus: { packages: ['prom-client'] },
  smtp: { packages: ['nodemailer'] },
  webhook: { packages: [] },
};

const SRC = new URL('src/', import.meta.url);
const UNNAMED = { parts: [], packages: [], node: false };

/** What is really there, with its rule: an entry of src that PARTS does not name gets the one that allows nothing. */
const RULES = new Map([
  ...readdirSync(SRC)
    .filter((name) => name !== 'adapters')
    .map((name) => [name, PARTS[name] ?? UNNAMED]),
  ...readdirSync(new URL('adapters/', SRC)).map((name) => [
    `adapters/${name}`,
    {
      parts: ['domain', 'ports', ...(ADAPTERS[name]?.parts ?? [])],
      packages: ADAPTERS[name]?.packages ?? [],
      node: true,
    },
  ]),
]);

/** All import specifiers but relative paths and what is allowed. Only adapters may make a `require`. */
function refused(part, { packages, node = false }) {
  const builtin = part.startsWith('adapters/') ? 'node:' : 'node:(?!module$)';
  const named = packages.map((name) => `${name}(?:/|$)`);
  return `^(?!${['\\.{1,2}/', ...(node ? [builtin] : []), ...named].join('|')})`;
}

/** A literal that is spread into one of its kind is a longer way to list what it has. */
const SPREAD_LITERALS = [
  'ObjectExpression > SpreadElement > ObjectExpression',
  'ArrayExpression > SpreadElement > ArrayExpression',
  // [...(['a', 'b'] as const)]
  'ArrayExpression > SpreadElement > TSAsExpression > ArrayExpression.expression',
].map((selector) => ({ selector, message: 'List what it has plainly instead of spreading a literal.' }));

function packageRules(part, rule) {
  const regex = refused(part, rule);
  const message = `eslint.config.js does not allow this import in src/${part}.`;
  const callees = part.startsWith('adapters/') ? ['CallExpression[callee.name=/^(require|load)$/]'] : [];
  return {
    'no-restricted-imports': ['error', { patterns: [{ regex, message }] }],
    'no-restricted-syntax': [
      'error',
      ...['ImportExpression', ...callees].map((parent) => ({
        selector: `${parent} > Literal[value=/${regex.replaceAll('/', '\\/')}/]`,
        message,
      })),
      ...SPREAD_LITERALS,
    ],
  };
}

export default tseslint.config(
  {
    ignores: [
      'dist/**',
      'node_modules/**',
      'storage/**',
      'deploy/connect/target/**',
      'deploy/kafka/target/**',
      'bench/peers/streams/target/**',
    ],
  },
  js.configs.recommended,
  // The rules for parts of src, below, repeat it: options of a rule replace earlier ones.
  { rules: { 'no-restricted-syntax': ['error', ...SPREAD_LITERALS] } },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // An async method without await is how a port is met by something that has nothing to wait for.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    plugins: { 'import-x': importX },
    rules: {
      'no-console': 'error',
      'max-lines-per-function': ['error', 70],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'exit', message: 'Only src/cli/exit.ts ends the process.' },
      ],
      'import-x/no-restricted-paths': [
        'error',
        {
          zones: [
            ...[...RULES].map(([part, { parts }]) => ({
              target: `./src/${part}`,
              from: './src',
              except: [part, ...parts].map((path) => `./${path}`),
              message: 'This import goes against the arrows of docs/how-it-works.md.',
            })),
            {
              target: './src/cli/**/!(dev|demo).ts',
              from: './src/dev-broker',
              message: 'Only the commands dev and demo know the embedded broker.',
            },
            {
              target: './src/cli/**/!(dev).ts',
              from: './src/dev-gateway',
              message: 'Only the command dev knows the gateway to play with.',
            },
          ],
        },
      ],
    },
  },
  ...[...RULES].map(([part, rule]) => ({
    files: part.endsWith('.ts') ? [`src/${part}`] : [`src/${part}/**/*.{ts,tsx}`],
    rules: packageRules(part, rule),
  })),
  {
    // All that depends on the insides of the Kafka client is in one folder.
    files: ['src/adapters/kafka/**/*.ts'],
    ignores: ['src/adapters/kafka/protocol/**'],
    rules: packageRules('adapters/kafka', { packages: [], node: true }),
  },
  {
    files: ['src/{cli,page}/**/*.{ts,tsx}'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '/documents/(?!write/)',
              allowTypeImports: true,
              message: 'Types only: a command does not load a validation library.',
            },
            {
              group: ['**/domain/messages/{index,select}.ts'],
              allowTypeImports: true,
              message:
                'By await import() where messages are named: other commands do not load the catalogue.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.mjs', '**/*.js', 'bin/*'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        fetch: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        performance: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        setInterval: 'readonly',
        clearInterval: 'readonly',
        AbortSignal: 'readonly',
        AbortController: 'readonly',
      },
    },
  },
);
