import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { MESSAGES } from '../../src/domain/messages/index.ts';
import { processors } from '../../src/processors/index.ts';
import { PLAIN_SHOP } from '../../src/processors/options.ts';

const SRC = path.resolve(import.meta.dirname, '../../src');

/** A port: an interface of src/ports with methods, which an adapter implements. */
interface Port {
  readonly name: string;
  /** Whether it is about the store, rather than about Kafka, schemas or external services. */
  readonly isOfStore: boolean;
  readonly methods: readonly string[];
  readonly parents: readonly string[];
  /** Names of the types in its declaration, in source order. */
  readonly mentions: readonly string[];
}

/** Paths of the source files in a folder of src, at any depth. */
function filesOf(folder: string): string[] {
  return fs
    .readdirSync(path.join(SRC, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .sort()
    .map((name) => path.join(SRC, folder, name));
}

const parsed = new Map<string, ts.SourceFile>();

function parse(file: string): ts.SourceFile {
  let tree = parsed.get(file);
  if (tree === undefined) {
    tree = ts.createSourceFile(file, fs.readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
    parsed.set(file, tree);
  }
  return tree;
}

function typesIn(node: ts.Node): string[] {
  const found = new Set<string>();
  const visit = (one: ts.Node): void => {
    if (ts.isTypeReferenceNode(one)) found.add(one.typeName.getText());
    ts.forEachChild(one, visit);
  };
  visit(node);
  return [...found];
}

/** The files of src/ports that are about the store. */
const OF_STORE = /\/(?:access|health|owner|processes|store|table-copy|lists|store-admin|store-copy)\.ts$/;

function portOf(node: ts.InterfaceDeclaration): Port {
  const methods = node.members.filter(ts.isMethodSignature).map((method) => {
    const parameters = method.parameters.map(({ name }) => (ts.isIdentifier(name) ? name.text : 'options'));
    return `${method.name.getText()}(${parameters.join(', ')})`;
  });
  const parents = (node.heritageClauses ?? []).flatMap(({ types }) =>
    types.map(({ expression }) => expression.getText()),
  );
  const isOfStore = OF_STORE.test(node.getSourceFile().fileName);
  return { name: node.name.text, isOfStore, methods, parents, mentions: typesIn(node) };
}

function ports(): Map<string, Port> {
  const declared = filesOf('ports')
    .flatMap((file) => parse(file).statements.filter(ts.isInterfaceDeclaration))
    .map(portOf);
  const all = new Map(declared.map((port) => [port.name, port]));
  const isPort = ({ methods, parents }: Port): boolean =>
    methods.length > 0 || parents.some((parent) => all.get(parent)?.methods.length);
  return new Map([...all].filter(([, port]) => isPort(port)));
}

/** The ports that an adapter's exported functions return or its classes implement. */
function implementedBy(adapter: string, known: ReadonlyMap<string, Port>): string[] {
  const found = new Set<string>();
  const isNamed = new RegExp(`\\b(?:${[...known.keys()].join('|')})\\b`);
  for (const file of filesOf(`adapters/${adapter}`)) {
    // Parsing all files takes seconds.
    if (!isNamed.test(fs.readFileSync(file, 'utf8'))) continue;
    for (const node of parse(file).statements) {
      if (ts.isFunctionDeclaration(node) && node.type !== undefined) {
        const isExported = node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
        const [first = ''] = /^(?:Promise<)?(\w+)/.exec(node.type.getText())?.slice(1) ?? [];
        if (isExported) found.add(first);
      }
      if (ts.isClassDeclaration(node)) {
        for (const { types } of node.heritageClauses ?? [])
          for (const { expression } of types) found.add(expression.getText());
      }
    }
  }
  return [...found].filter((name) => known.has(name)).sort();
}

/**
 * The ports and their implementations, as Mermaid, from the declarations in the source.
 *
 * @param which the ports of the store, or those of Kafka, schemas and external services
 */
export function portDiagram(which: 'store' | 'others'): string {
  const known = new Map([...ports()].filter(([, { isOfStore }]) => isOfStore === (which === 'store')));
  const lines = ['classDiagram', '  direction LR'];
  for (const { name, methods, parents, mentions } of known.values()) {
    lines.push(`  class ${name} {`, '    <<interface>>', ...methods.map((method) => `    +${method}`), '  }');
    for (const parent of parents) if (known.has(parent)) lines.push(`  ${parent} <|-- ${name}`);
    for (const other of mentions)
      if (other !== name && known.has(other)) lines.push(`  ${name} --> ${other}`);
  }
  for (const adapter of fs.readdirSync(path.join(SRC, 'adapters')).sort()) {
    const implemented = implementedBy(adapter, known);
    for (const port of implemented) lines.push(`  ${port} <|.. adapters_${adapter}`);
    if (implemented.length > 0) lines.push(`  class adapters_${adapter}["src/adapters/${adapter}"]`);
  }
  return lines.join('\n');
}

/** The processes and their messages, as Mermaid: processors and topics are read from the source. */
export function systemDiagram(): string {
  const all = processors({ ...PLAIN_SHOP, events: { lowStock: 1 } });
  const read = new Set(all.flatMap(({ sources }) => sources.map(({ name }) => name)));
  const sent = new Set(all.flatMap(({ emits }) => emits.map(({ name }) => name)));
  const topics = MESSAGES.filter(({ schema }) => schema !== null).map(({ name }) => name);
  const list = (names: readonly string[]): string => names.join('<br/>');
  return [
    'flowchart LR',
    '  customers([customers]) --> api["HTTP API and page<br/>orderctl serve"]',
    '  operator([operator]) --> cli["command line<br/>orderctl"]',
    '  subgraph kafka[Kafka and a schema registry]',
    `    in[("${list(topics.filter((name) => !sent.has(name)))}")]`,
    `    between[("${list(topics.filter((name) => sent.has(name) && read.has(name)))}")]`,
    `    out[("${list(topics.filter((name) => sent.has(name) && !read.has(name)))}")]`,
    '    dlq[(dead letters)]',
    '  end',
    '  sources([online shops, tills, suppliers]) --> in',
    '  api --> in',
    '  cli --> in',
    '  subgraph run[orderctl run]',
    `    processors["${list(all.map(({ name }) => name))}"]`,
    '  end',
    '  in --> processors',
    '  processors <--> between',
    '  processors --> out',
    '  processors --> dlq',
    '  processors <-->|one commit a batch| store[("store: a folder,<br/>or PostgreSQL")]',
    '  processors -->|charge, refund| gateway([payment gateway])',
    '  processors -->|mail, webhook| outside([customers, other programs])',
    '  store --> api',
    '  store <--> cli',
    '  store --> report["orderctl report daily<br/>by cron or Airflow"]',
    '  report --> bucket[(folder, S3 or GCS)]',
  ].join('\n');
}

/** The structure of every processor, and the list of processors, as Mermaid. */
export function processorDiagram(): string {
  const { statements } = parse(path.join(SRC, 'processors/processor.ts'));
  const lines = ['classDiagram'];
  const declared = new Set(['Processor', 'EffectHandler']);
  for (const node of statements) {
    if (!ts.isInterfaceDeclaration(node) || !declared.has(node.name.text)) continue;
    const fields = node.members.filter(ts.isPropertySignature).map(({ name }) => `    +${name.getText()}`);
    const methods = portOf(node).methods.map((method) => `    +${method}`);
    lines.push(`  class ${node.name.text} {`, '    <<interface>>', ...fields, ...methods, '  }');
  }
  lines.push('  Processor --> EffectHandler : owes calls');
  for (const { name, sources, effects } of processors(PLAIN_SHOP)) {
    lines.push(`  class ${name} {`, ...sources.map((source) => `    reads ${source.name}`));
    for (const kind of effects?.kinds ?? []) lines.push(`    owes ${kind}`);
    lines.push('  }', `  Processor <|.. ${name}`);
  }
  return lines.join('\n');
}

const roomOf = (file: string): string => {
  const [first = '', second = ''] = path.relative(SRC, file).split(path.sep);
  return first === 'adapters' ? `${first}/${second}` : first;
};

/**
 * Which folder of src imports which, as Mermaid, from the imports in the source. Paths through another folder are left
 * out.
 */
export function importDiagram(): string {
  const edges = new Map<string, Set<string>>();
  for (const file of filesOf('.')) {
    const text = fs.readFileSync(file, 'utf8');
    for (const [, to = ''] of text.matchAll(/(?:\bfrom |\bimport\()'(\.{1,2}\/[^']+)'/g)) {
      const [from, end] = [roomOf(file), roomOf(path.join(path.dirname(file), to))];
      if (from !== end) edges.set(from, (edges.get(from) ?? new Set()).add(end));
    }
  }
  const reaches = (from: string, end: string): boolean =>
    [...(edges.get(from) ?? [])].some((next) => next === end || reaches(next, end));
  const id = (room: string): string => room.replaceAll(/\W/g, '_');
  const lines = ['flowchart TD'];
  for (const room of [
    ...new Set([...edges.keys(), ...[...edges.values()].flatMap((ends) => [...ends])]),
  ].sort())
    lines.push(`  ${id(room)}["src/${room}"]`);
  for (const [from, ends] of [...edges].sort())
    for (const end of [...ends].sort())
      if (![...ends].some((other) => other !== end && reaches(other, end)))
        lines.push(`  ${id(from)} --> ${id(end)}`);
  return lines.join('\n');
}
