import { builtinModules } from 'node:module';
import js from '@eslint/js';
import importX from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';

/** Who may import from where: docs/how-it-works.md draws it. Everything not named is refused. */
const ARROWS = {
  './src/domain': ['domain'],
  './src/ports': ['domain', 'ports'],
  './src/app': ['domain', 'ports', 'app'],
  './src/adapters/files': ['domain', 'ports', 'adapters/files'],
  './src/adapters/kafka': ['domain', 'ports', 'adapters/kafka'],
  './src/adapters/avro': ['domain', 'ports', 'adapters/avro'],
  './src/cli': ['domain', 'ports', 'app', 'compose.ts', 'cli', 'dev-broker'],
  './src/compose.ts': ['domain', 'ports', 'app', 'adapters', 'compose.ts'],
  // A broker of its own, which knows nothing of orders.
  './src/dev-broker': ['dev-broker'],
};

const MESSAGE = 'This import goes against the arrows of the design.';

/** A technology's package is known to one folder only. */
const OWNERS = {
  kafkajs: 'src/adapters/kafka',
  snappy: 'src/adapters/kafka',
  'lz4-napi': 'src/adapters/kafka',
  fzstd: 'src/adapters/kafka',
  'csv-parse': 'src/adapters/files',
  commander: 'src/cli',
  chalk: 'src/cli',
  'cli-progress': 'src/cli',
};

const FOLDERS = [
  'src/domain',
  'src/ports',
  'src/app',
  'src/adapters/files',
  'src/adapters/kafka',
  'src/adapters/avro',
  'src/cli',
  'src/dev-broker',
];
const NO_IO = 'Domain, ports and use cases do no I/O: add it to a port.';
const PURE = new Set(['src/domain', 'src/ports', 'src/app']);

export default tseslint.config(
  {
    ignores: [
      'dist/**',
      'node_modules/**',
      'storage/**',
      'deploy/kafka/target/**',
      'bench/peers/streams/target/**',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
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
    files: ['src/**/*.ts'],
    plugins: { 'import-x': importX },
    rules: {
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'exit', message: 'Only src/cli/exit.ts ends the process.' },
      ],
      'import-x/no-restricted-paths': [
        'error',
        {
          zones: [
            ...Object.entries(ARROWS).map(([target, allowed]) => ({
              target,
              from: './src',
              except: allowed.map((path) => `./${path}`),
              message: MESSAGE,
            })),
            {
              target: './src/cli/**/!(dev|demo).ts',
              from: './src/dev-broker',
              message: 'Only the commands dev and demo know the embedded broker.',
            },
          ],
        },
      ],
    },
  },
  ...FOLDERS.map((folder) => ({
    files: [`${folder}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [
            ...(PURE.has(folder) ? builtinModules.map((name) => ({ name, message: NO_IO })) : []),
            ...Object.entries(OWNERS)
              .filter(([, owner]) => owner !== folder)
              .map(([name, owner]) => ({ name, message: `Only ${owner} knows this package.` })),
          ],
          patterns: [
            ...(PURE.has(folder) ? [{ group: ['node:*'], message: NO_IO }] : []),
            ...Object.entries(OWNERS)
              .filter(([, owner]) => owner !== folder)
              .map(([name, owner]) => ({
                group: [`${name}/*`],
                message: `Only ${owner} knows this package.`,
              })),
          ],
        },
      ],
    },
  })),
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
