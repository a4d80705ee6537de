import fs from 'node:fs';
import path from 'node:path';
import prettier from 'prettier';
import { describe, expect, it } from 'vitest';
import { asyncApi } from '../../src/documents/events/asyncapi.ts';
import { eventsPage } from '../../src/documents/events/page.ts';
import { MESSAGES } from '../../src/domain/messages/index.ts';
import { processors } from '../../src/processors/index.ts';
import { PLAIN_SHOP } from '../../src/processors/options.ts';

// Files that are made from the catalogue. After a change of it: npx vitest run --project parts test/unit/events-docs.test.ts -u

const DOCS = path.resolve(import.meta.dirname, '../../docs');

/** A shop in which each processor sends all that it can. */
const ANNOUNCING = { ...PLAIN_SHOP, events: { lowStock: 1 } };

async function made(name: string, text: string): Promise<void> {
  const file = path.join(DOCS, name);
  const options = await prettier.resolveConfig(file);
  const formatted = await prettier.format(text, { ...options, filepath: file.replace(/avsc$/, 'json') });
  await expect(formatted).toMatchFileSnapshot(file);
}

it('the AsyncAPI document is up to date', () => made('asyncapi.json', JSON.stringify(asyncApi())));

it('the page of events is up to date', () => made('events.md', eventsPage(processors(ANNOUNCING))));

describe('schemas for other programs', () => {
  const withSchema = MESSAGES.filter(({ schema }) => schema !== null);

  it.each(withSchema.map(({ name, schema }) => [name, schema] as const))('%s is up to date', (name, schema) =>
    made(`schemas/${name}.avsc`, JSON.stringify(schema)),
  );

  it('are there for these messages only', () => {
    const names = withSchema.map(({ name }) => `${name}.avsc`);
    expect(fs.readdirSync(path.join(DOCS, 'schemas')).sort()).toEqual(names.sort());
  });
});

it('every reference of the AsyncAPI document leads to something', () => {
  const document = asyncApi();
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, ref = '']) => ref);
  expect(refs.length).toBeGreaterThan(MESSAGES.length);
  for (const ref of refs) {
    const found = ref
      .split('/')
      .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document);
    expect(found, ref).toBeDefined();
  }
});
