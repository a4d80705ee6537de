import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { chromium, launch } from '../support/browser.ts';

// What is in the diagrams is compared with the source by test/unit/diagrams.test.ts.

const DOCS = path.resolve(import.meta.dirname, '../../docs');
const MERMAID = createRequire(import.meta.url).resolve('@mermaid-js/tiny');

/** All diagrams in the docs, with the file and its number there. */
function drawn(): [string, string][] {
  const pages = fs.readdirSync(DOCS).filter((name) => name.endsWith('.md'));
  return pages.flatMap((name) => {
    const text = fs.readFileSync(path.join(DOCS, name), 'utf8');
    return [...text.matchAll(/^```mermaid\n(.*?)^```/gms)].map(([, diagram = ''], n): [string, string] => [
      `${name} ${n + 1}`,
      diagram,
    ]);
  });
}

test.skipIf(chromium === undefined)(
  'every diagram in the docs is drawn by Mermaid in a browser',
  async () => {
    const browser = await launch(chromium ?? '');
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    await page.setContent('<main></main>');
    await page.addScriptTag({ path: MERMAID });
    const diagrams = drawn();
    expect(diagrams.length).toBeGreaterThan(5);
    const wrong: string[] = [];
    for (const [n, [name, diagram]] of diagrams.entries()) {
      const result = await page.evaluate<string>(
        `mermaid.render('d${n}', ${JSON.stringify(diagram)}).then(({ svg }) => svg, (error) => 'failed: ' + error.message)`,
      );
      if (!result.startsWith('<svg')) wrong.push(`${name}: ${result.slice(0, 200)}`);
    }
    expect(wrong).toEqual([]);
  },
);
