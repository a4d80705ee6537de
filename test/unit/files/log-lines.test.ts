import fc from 'fast-check';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { realFileSystem } from '../../../src/adapters/files/fs.ts';
import { AppendLog } from '../../../src/adapters/files/logs/append-log.ts';
import { LogView, NO_LOG } from '../../../src/adapters/files/logs/log.ts';

const lines = fc.array(
  fc.integer({ min: 0, max: 3_000 }).map((length) => 'x'.repeat(length)),
  {
    minLength: 1,
    maxLength: 200,
  },
);

it('a line is the same whatever was read before it, and while more are appended', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-lines-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  let runs = 0;
  fc.assert(
    fc.property(lines, fc.array(fc.nat(), { maxLength: 300 }), fc.nat(), (texts, picks, stride) => {
      const log = new AppendLog(realFileSystem, path.join(folder, `log.${++runs}`), 0, NO_LOG);
      const starts: number[] = [];
      const append = (text: string): void => {
        starts.push(log.sizeBytes);
        log.append(Buffer.from(`${text}\n`));
      };
      for (const text of texts.slice(0, texts.length / 2)) append(text);
      const rest = texts.slice(texts.length / 2);
      for (const [turn, pick] of picks.entries()) {
        if (turn % 10 === 9 && rest.length > 0) append(rest.shift() ?? '');
        if (starts.length === 0) continue;
        // Half of the time one line behind another, as a topic that is read again asks for them.
        const index = (turn % 2 === 0 ? turn + stride : pick) % starts.length;
        const view = new LogView(
          realFileSystem,
          [{ fd: log.fd, at: 0, position: 0, sizeBytes: log.sizeBytes }],
          log.path,
          log.lineWindow,
        );
        expect(view.line(starts[index] ?? 0)?.toString('latin1')).toBe(texts[index]);
        expect(view.line(log.sizeBytes)).toBeUndefined();
      }
      log.close();
    }),
    { numRuns: 60 },
  );
});

it('lines from the end are those from the beginning, whatever fits a chunk', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-lines-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  let runs = 0;
  fc.assert(
    fc.property(lines, fc.integer({ min: 1, max: 10_000 }), (texts, chunkBytes) => {
      const log = new AppendLog(realFileSystem, path.join(folder, `log.${++runs}`), 0, NO_LOG);
      log.append(Buffer.from(texts.map((text, at) => `${at}${text}\n`).join('')));
      const view = new LogView(realFileSystem, [
        { fd: log.fd, at: 0, position: 0, sizeBytes: log.sizeBytes },
      ]);
      const chunks: string[] = [];
      let end = view.sizeBytes;
      for (const { chunk, position } of view.chunksFromEnd(end, chunkBytes)) {
        chunks.unshift(chunk.toString('latin1'));
        expect(position + chunk.byteLength).toBe(end);
        end = position;
      }
      expect(chunks.join('').trimEnd().split('\n')).toEqual(texts.map((text, at) => `${at}${text}`));
      expect(chunks.every((chunk) => chunk.endsWith('\n'))).toBe(true);
      log.close();
    }),
    { numRuns: 60 },
  );
});
