import path from 'node:path';
import prettier from 'prettier';
import { expect, test } from 'vitest';
import { importDiagram, portDiagram, processorDiagram, systemDiagram } from '../support/diagrams.ts';

// After a change of the source: npx vitest run --project parts test/unit/diagrams.test.ts -u

const ROOT = path.resolve(import.meta.dirname, '../..');

const picture = (heading: string, text: string, diagram: string): string[] => [
  `## ${heading}`,
  '',
  text,
  '',
  '```mermaid',
  diagram,
  '```',
  '',
];

test('the diagrams are those of the source', async () => {
  const page = [
    '# Diagrams',
    '',
    'Made from the source by `test/unit/diagrams.test.ts`, which fails when they no longer fit. The flow of messages is in',
    '[the event catalogue](events.md), the tables of PostgreSQL in [a picture of their own](postgres-tables.md), a batch',
    'step by step in [how it works](how-it-works.md).',
    '',
    ...picture('The system', 'What runs, and what it exchanges with whom.', systemDiagram()),
    ...picture(
      'Folders of the source',
      'An arrow is an import. Where one leads over another folder, the direct one is left out.',
      importDiagram(),
    ),
    ...picture('Processors', 'Each service is a value of one interface.', processorDiagram()),
    ...picture('The store', 'Ports about the store, and the adapters behind them.', portDiagram('store')),
    ...picture(
      'Kafka, schemas, the outside',
      'The other ports, and the adapters behind them.',
      portDiagram('others'),
    ),
  ].join('\n');
  const file = path.join(ROOT, 'docs/diagrams.md');
  const options = await prettier.resolveConfig(file);
  await expect(await prettier.format(page, { ...options, filepath: file })).toMatchFileSnapshot(file);
});
