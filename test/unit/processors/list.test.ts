import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { MESSAGES } from '../../../src/domain/messages/index.ts';
import { processors } from '../../../src/processors/index.ts';
import { PLAIN_SHOP } from '../../../src/processors/options.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../../src/processors');

const PROCESSORS = processors({ ...PLAIN_SHOP, events: { lowStock: 1 } });

describe('the list of processors', () => {
  it('has one for each folder, and a line on the page for each', () => {
    const names = PROCESSORS.map(({ name }) => name).sort();
    const folders = fs.readdirSync(FOLDER, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name).sort()).toEqual(names);
    const page = fs.readFileSync(path.join(FOLDER, 'README.md'), 'utf8');
    expect([...page.matchAll(/^\| `([\w-]+)`/gm)].map(([, name]) => name).sort()).toEqual(names);
  });

  it.each(PROCESSORS)('$name reads and writes what the catalogue says', ({ name, sources, emits }) => {
    expect(sources).toEqual(MESSAGES.filter(({ readers }) => readers.includes(name)));
    expect(emits).toEqual(
      MESSAGES.filter(({ writers, schema }) => writers.includes(name) && schema !== null),
    );
  });
});

it('the page on how it works shows the example as it is, in under sixty lines', () => {
  const page = fs.readFileSync(path.resolve(FOLDER, '../../docs/how-it-works.md'), 'utf8');
  const shown = ['returns.ts', 'returns.test.ts'].map((name) =>
    fs.readFileSync(path.join(import.meta.dirname, 'example', name), 'utf8'),
  );
  for (const text of shown) expect(page).toContain(`\`\`\`ts\n${text}\`\`\`\n`);
  expect(shown.join('').split('\n').length - 1).toBeLessThan(60);
});
