import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

// Conventions that a linter's rules do not cover. docs/how-it-works.md names the folders.

const ROOT = path.resolve(import.meta.dirname, '..');
const FILE_LINES = 300;
const FOLDER_FILES = 15;

/** One file per request of Kafka's protocol, however many there are. */
const OPEN_FOLDERS = new Set(['src/dev-broker/requests']);

/** Roundabout English, and what to write instead. */
const BANNED: readonly (readonly [RegExp, string])[] = [
  [/\btold\b/i, 'receives, prints, returns, says'],
  [/\banew\b/i, 'again, from scratch'],
  [/\bwhoever\b/i, 'the program that, the user who'],
  [/\b(?<!-)talks?\b/i, 'messages'],
  [/\bh(?:olds?|eld|olding) [^.;|`]{1,60}? against\b/i, 'compares with'],
  [/\ba person's\b/i, "the user's"],
  [/\bas it may be\b/i, 'plain words'],
  [/\bof no account\b/i, 'does not count'],
  [/\bbears? (?:the|its|his) name\b/i, 'is named'],
  [/\bmet nobody\b|\ball of it or nothing\b/i, 'plain words'],
];

/** The same, for what users and readers of the source see. Titles of tests may narrate. */
const BANNED_OUTSIDE_TESTS: readonly (readonly [RegExp, string])[] = [
  [/\bmend(?:s|ed|ing)?\b/i, 'fix, correct'],
  [/\bbec[ao]mes? of\b|\bcame of\b/i, 'the outcome of, what happened to'],
  [/\bc[oa]mes? to nothing\b/i, 'fails'],
  [/\bso many\b/i, 'that many, at most N'],
  [/\bways? out\b/i, 'fix'],
  [/\b(?:goes|went) on\b/i, 'continues'],
  [/\bis there twice\b/i, 'appears twice'],
];

const read = (file: string): string => fs.readFileSync(path.join(ROOT, file), 'utf8');

/** Paths from the root of all files in a folder, at any depth. */
function filesIn(folder: string, extension: RegExp): string[] {
  return fs
    .readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => extension.test(name) && !/(?:^|\/)(?:node_modules|target)\//.test(name))
    .map((name) => `${folder}/${name}`)
    .sort();
}

const SOURCES = new Map(filesIn('src', /\.tsx?$/).map((file) => [file, { text: read(file) }] as const));
const PAGES = ['README.md', ...filesIn('docs', /\.md$/), ...filesIn('src', /\.md$/)];

const linesOf = (text: string): number => text.split('\n').length - 1;

/** The file that a relative import names, from the root. */
const imported = (from: string, specifier: string): string =>
  path.posix.join(path.posix.dirname(from), specifier);

/** The entries that exceed a limit. */
function overLimit(sizes: ReadonlyMap<string, number>, limit: number): string[] {
  return [...sizes]
    .filter(([, size]) => size > limit)
    .map(([name, size]) => `${name}: ${size}, at most ${limit}`);
}

describe('sizes', () => {
  it('has no file that is too long', () => {
    const sizes = new Map([...SOURCES].map(([file, { text }]) => [file, linesOf(text)]));
    for (const file of filesIn('src', /\.css$/)) sizes.set(file, linesOf(read(file)));
    expect(overLimit(sizes, FILE_LINES)).toEqual([]);
  });

  it('has no folder with too many files', () => {
    const sizes = new Map<string, number>();
    for (const file of SOURCES.keys()) {
      const folder = path.posix.dirname(file);
      if (OPEN_FOLDERS.has(folder)) continue;
      sizes.set(folder, (sizes.get(folder) ?? 0) + 1);
    }
    expect(overLimit(sizes, FOLDER_FILES)).toEqual([]);
  });
});

describe('imports', () => {
  it('has no cycles, of types or at run time', () => {
    const imports = new Map(
      [...SOURCES].map(([file, { text }]) => [
        file,
        // A dynamic import or a type import ties two files just as well.
        [...text.matchAll(/(?:\bfrom |\bimport\()'(\.{1,2}\/[^']+)'/g)].map(([, to = '']) =>
          imported(file, to),
        ),
      ]),
    );
    const cycles: string[] = [];
    const done = new Set<string>();
    const follow = (file: string, way: readonly string[]): void => {
      if (way.includes(file)) cycles.push([...way.slice(way.indexOf(file)), file].join(' -> '));
      if (way.includes(file) || done.has(file)) return;
      for (const next of imports.get(file) ?? []) follow(next, [...way, file]);
      done.add(file);
    };
    for (const file of imports.keys()) follow(file, []);
    expect(cycles).toEqual([]);
  });

  it('has no unused exports', () => {
    const texts = new Map([
      ...[...SOURCES].map(([file, { text }]) => [file, text] as const),
      ...[...filesIn('test', /\.m?ts$/), ...filesIn('test', /\.mjs$/), ...filesIn('bench', /\.m?[jt]s$/)].map(
        (file) => [file, read(file)] as const,
      ),
    ]);
    const users = new Map<string, string[]>();
    for (const [file, text] of texts) {
      for (const [, specifier = ''] of text.matchAll(/['"`](\.{1,2}\/[^'"`\n]+\.tsx?)['"`]/g)) {
        const to = imported(file, specifier);
        users.set(to, [...(users.get(to) ?? []), text]);
      }
    }
    const unused = [...SOURCES].flatMap(([file, { text }]) =>
      [...text.matchAll(/^export (?:async )?(?:abstract )?(\w+)\*? (\w+)/gm)].flatMap(
        ([, kind = '', name = '']) => {
          const word = new RegExp(`\\b${name}\\b`, 'g');
          if ((users.get(file) ?? []).some((user) => user.match(word) !== null)) return [];
          // The type of a public function's parameter or result is public too, and so is the schema of such a type.
          const isType = /^(?:type|interface)$/.test(kind) || text.includes(`\nexport type ${name} = `);
          return isType && (text.match(word)?.length ?? 0) > 1 ? [] : [`${file}: ${kind} ${name}`];
        },
      ),
    );
    expect(unused).toEqual([]);
  });
});

describe('words', () => {
  it('are plain English', () => {
    // This file contains the list itself.
    const tests = filesIn('test', /\.(?:m?ts|mjs|py)$/).filter((file) => !file.endsWith('/tidy.test.ts'));
    const others = ['bench', 'deploy'].flatMap((folder) => filesIn(folder, /\.(?:mjs|md)$/));
    const own = new Set([...SOURCES.keys(), ...PAGES, ...others]);
    const found = [...own, ...tests].flatMap((file) =>
      read(file)
        .split('\n')
        .flatMap((line, index) =>
          [...BANNED, ...(own.has(file) ? BANNED_OUTSIDE_TESTS : [])].flatMap(([pattern, instead]) => {
            const hit = pattern.exec(line);
            return hit === null ? [] : [`${file}:${index + 1}: "${hit[0]}": ${instead}`];
          }),
        ),
    );
    expect(found).toEqual([]);
  });
});

describe('maps', () => {
  const maps = filesIn('src', /DESIGN\.md$/);

  it.each(maps)('%s names every file below its folder, and no other', (map) => {
    const folder = path.posix.dirname(map);
    const inner = maps
      .map((other) => `${path.posix.dirname(other)}/`)
      .filter((part) => part.startsWith(`${folder}/`) && part !== `${folder}/`);
    const files = filesIn(folder, /\.ts$/).filter((file) => !inner.some((part) => file.startsWith(part)));
    const names = files.map((file) => path.basename(file));
    const text = read(map);
    // Requests are named by the number of their API; one pattern matches all of them.
    const numbered = /^\d+-/;
    const mapped = new Set(
      [...text.matchAll(/(?<![\w/.-])(?:[a-z][\w-]*\/)*([a-z][\w-]*(?:\.d)?\.ts)\b/g)].map(
        ([, name = '']) => name,
      ),
    );
    expect(names.filter((name) => !numbered.test(name) && !mapped.has(name))).toEqual([]);
    expect([...mapped].filter((name) => !names.includes(name))).toEqual([]);
  });

  it('docs/how-it-works.md names every folder of src, app and the adapters', () => {
    const page = read('docs/how-it-works.md');
    const folders = ['src', 'src/app', 'src/adapters'].flatMap((parent) =>
      fs
        .readdirSync(path.join(ROOT, parent), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => `${parent}/${name}`),
    );
    const isNamed = (folder: string): boolean =>
      page.includes(`\`${folder}/\``) || page.includes(`\`${path.basename(folder)}/\``);
    expect(folders.filter((folder) => !isNamed(folder) && folder !== 'src/adapters')).toEqual([]);
  });

  it.each([...PAGES.filter((page) => !page.startsWith('src/')), 'rolldown.config.js'])(
    'the paths in %s exist',
    (page) => {
      const text = read(page);
      const roots = text.matchAll(/[`'( /]((?:src|test|docs|bench|deploy|bin)\/[\w./-]*\w)/g);
      const links = text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g);
      const paths = [
        ...[...roots].map(([, name = '']) => name),
        ...[...links].map(([, name = '']) => path.posix.join(path.posix.dirname(page), name)),
      ];
      expect(paths.filter((name) => !fs.existsSync(path.join(ROOT, name)))).toEqual([]);

      const basenames = new Set(
        filesIn('src', /\.ts$/)
          .concat(filesIn('test', /\.ts$/))
          .map((name) => path.basename(name)),
      );
      const alone = [...text.matchAll(/`([\w.-]+\.ts)`/g)].map(([, name = '']) => name);
      expect(alone.filter((name) => !basenames.has(name))).toEqual([]);
    },
  );

  it.each([...PAGES, ...filesIn('deploy', /\.md$/)])('the headings that %s links to exist', (page) => {
    const links = [...read(page).matchAll(/\]\(((?!https?:)[^)#\s]*)#([^)\s]+)\)/g)];
    const missing = links.filter(([, file = '', heading = '']) => {
      const target = file === '' ? page : path.posix.join(path.posix.dirname(page), file);
      return !anchorsOf(read(target)).includes(heading);
    });
    expect(missing.map(([link]) => link)).toEqual([]);
  });
});

/** The anchors that GitHub makes of headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
