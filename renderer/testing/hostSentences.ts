/**
 * Every sentence that the host and the engine can say to a window, collected from their source: what failures are made of,
 * the clauses that stand inside them, what was left out of a document, and why a model fits or not. What is computed
 * stands in numbered gaps: “{0} is {1}.”
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'vite';

export interface HostSentence {
  template: string;
  /** `host/errors.ts`, for whoever looks for it. */
  file: string;
}

/** What only the command line says, and what only tests run. */
const neverInAWindow = ['host/cli/', 'host/eval/', 'host/peer/', 'host/testing/', 'engine/reference/', 'engine/testing/'];

/** Which arguments of which calls are sentences or clauses. */
const sayers = new Map<string, readonly number[]>(Object.entries({
  HostError: [1, 2],
  EngineError: [1, 2],
  MemoryDamagedError: [1, 2],
  Interrupted: [0],
  StartOver: [0],
  damaged: [1],
  hostile: [1],
  tooSlow: [1],
  invalid: [1],
  notAGguf: [0, 1],
  unsupportedVersion: [0, 1],
  refused: [0],
  unreachable: [1],
  outOfMemory: [0],
  templateFailed: [0],
  unknownTensorType: [2],
  push: [0],
}));

interface Node {
  type: string;
  [field: string]: unknown;
}

export function hostSentences(root: string): { sentences: HostSentence[]; codes: string[] } {
  const sentences: HostSentence[] = [];
  const codes: string[] = [];
  for (const file of [...sourceFiles(root, 'host'), ...sourceFiles(root, 'engine')]) {
    if (neverInAWindow.some((folder) => file.startsWith(folder))) continue;
    const note = (value: unknown) => sentences.push(...templatesOf(value).map((template) => ({ template, file })));
    visit(parseSync(file, readFileSync(join(root, file), 'utf8')).program, (node) => {
      const { type, callee, key } = node;
      if (type === 'NewExpression' || type === 'CallExpression') {
        const name = calledName(callee as Node);
        const given = node['arguments'] as Node[];
        if (name === 'push' && !pushesNotices(callee as Node)) return;
        if (name === 'HostError' || name === 'super') codes.push(...templatesOf(given[0]));
        for (const index of sayers.get(name === 'super' ? 'HostError' : name) ?? []) note(given[index]);
      }
      if (type === 'Property' && file in describes) {
        const name = (key as Node)['name'] as string;
        if (name === 'code') codes.push(...templatesOf(node['value']));
        if (describes[file]?.includes(name)) note(node['value']);
      }
    });
  }
  for (const description of catalogueDescriptions(root)) sentences.push({ template: description, file: 'assets/catalogue.json' });
  return { sentences, codes };
}

/** A few are no arguments: the reasons of verdicts, and failures that are described, not thrown. */
const describes: Record<string, readonly string[]> = {
  'host/models/verdict.ts': ['reason'],
  'host/models/recommend.ts': ['reason'],
  'host/errors.ts': ['message', 'remedy'],
  'host/worker/supervisor.ts': ['message', 'remedy'],
  'host/models/modelStore.ts': ['message', 'remedy'],
  'host/api/localApi.ts': ['remedy'],
  'host/contract/client.ts': ['message', 'remedy'],
};

function pushesNotices(callee: Node): boolean {
  return (callee['object'] as Node)['name'] === 'notices';
}

function calledName(callee: Node): string {
  if (callee.type === 'Super') return 'super';
  if (callee.type === 'MemberExpression') return ((callee['property'] as Node)['name'] as string) ?? '';
  return (callee['name'] as string) ?? '';
}

/** Nothing of what is computed as a whole, and nothing of what has no words of its own. */
function templatesOf(value: unknown): string[] {
  const node = value as Node | undefined;
  switch (node?.type) {
    case 'Literal':
      return typeof node['value'] === 'string' && /\p{Letter}/u.test(node['value']) ? [node['value']] : [];
    case 'TemplateLiteral': {
      const parts = (node['quasis'] as { value: { cooked: string } }[]).map(({ value }) => value.cooked);
      const template = parts.reduce((text, part, index) => `${text}{${index - 1}}${part}`);
      return parts.some((part) => /\p{Letter}/u.test(part)) ? [template] : [];
    }
    case 'ConditionalExpression':
      return [...templatesOf(node['consequent']), ...templatesOf(node['alternate'])];
    case 'LogicalExpression':
      return templatesOf(node['right']);
    default:
      return [];
  }
}

function visit(value: unknown, look: (node: Node) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) return value.forEach((item) => visit(item, look));
  if ('type' in value) look(value as Node);
  for (const child of Object.values(value)) visit(child, look);
}

function catalogueDescriptions(root: string): string[] {
  const entries = JSON.parse(readFileSync(join(root, 'assets/catalogue.json'), 'utf8')) as { description: string }[];
  return entries.map(({ description }) => description);
}

/** All of it as one text, as it is read. */
export function hostSource(root: string): string {
  const files = ['host', 'engine', 'scripts'].flatMap((folder) => sourceFiles(root, folder));
  return files.map((file) => readFileSync(join(root, file), 'utf8').replaceAll("\\'", "'").replaceAll('\\uFFFD', '\uFFFD'))
    .concat(catalogueDescriptions(root))
    .join('\n');
}

function sourceFiles(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<!\.test|\.d)\.m?ts$|\.mjs$/.test(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1));
}
