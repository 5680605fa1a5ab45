/**
 * Links copies of WGSL texts, each specialised on its own, into one module, so that a single dispatch does the work of
 * several. What says the same in all copies is declared once, workgroup memory too. Everything else of a copy's module
 * scope gets the copy's number: `keys` becomes `keys_0`, `keys_1`, …, and so does what mentions it. A buffer is each
 * copy's own unless it is said to be shared. Declarations begin lines, and what is inside them is indented; entry points and
 * `enable` belong to the text that calls the copies.
 */
import { type ShaderOptions, specialise } from './shader.ts';

export interface LinkedCopy extends Pick<ShaderOptions, 'constants' | 'aliases'> {
  texts: readonly string[];
}

export interface LinkedBinding {
  /** In the copies' texts. */
  name: string;
  /** null where all copies share it. */
  copy: number | null;
}

export interface LinkOptions {
  /** Names of bindings that hold the same buffer for all copies. */
  shared: readonly string[];
  /** The number of the first binding; those before belong to the text that calls the copies. */
  firstBinding?: number;
}

export interface LinkedShader {
  text: string;
  /** What to bind from `firstBinding` on. */
  bindings: LinkedBinding[];
}

/** Throws an Error for lines that declare nothing, and where a name with a number is taken already. */
export function link(copies: readonly LinkedCopy[], { shared, firstBinding = 0 }: LinkOptions): LinkedShader {
  const modules = copies.map(({ texts, constants, aliases }) => declarations(specialise(texts, { constants, aliases })));
  const own = ownNames(modules, new Set(shared));
  const taken = new Set(modules.flatMap((module) => [...module.values()].flatMap(wordsOf)));
  const bindings: LinkedBinding[] = [];
  const declare = (name: string, text: string, copy: number | null): string => {
    const renamed = copy === null ? text : text.replaceAll(word, (found) => (own.has(found) ? `${found}_${copy}` : found));
    if (copy !== null && taken.has(`${name}_${copy}`)) throw new Error(`Linked WGSL has the name ${name}_${copy} already`);
    return renamed.replace(bindingNumber, () => `@binding(${firstBinding + bindings.push({ name, copy }) - 1})`);
  };
  const parts = [
    ...[...modules[0]].filter(([name]) => !own.has(name)).map(([name, text]) => declare(name, text, null)),
    ...modules.flatMap((module, copy) => [...module].filter(([name]) => own.has(name)).map(([name, text]) => declare(name, text, copy))),
  ];
  return { text: parts.join('\n'), bindings };
}

const word = /\b[A-Za-z_]\w*/g;
const bindingNumber = /@binding\(\d+\)/;
const beginning = /^(?:@\w+(?:\([^)]*\))?\s+)*(?:alias|const|fn|struct|var(?:<[^>]*>)?)\s+(\w+)/;

const wordsOf = (text: string): string[] => text.match(word) ?? [];

/** By name, in order, without comments. */
function declarations(code: string): Map<string, string> {
  const found = new Map<string, string>();
  let name = '';
  for (const line of code.split('\n')) {
    const text = line.replace(/\s*\/\/.*/, '');
    if (text === '') continue;
    const begun = beginning.exec(text)?.[1];
    if (!begun && (name === '' || /^[^\s)}]/.test(text))) throw new Error(`Linked WGSL has a line that declares nothing: ${text}`);
    name = begun ?? name;
    const before = found.get(name);
    if (begun && before !== undefined) throw new Error(`Linked WGSL declares ${name} twice`);
    found.set(name, before === undefined ? text : `${before}\n${text}`);
  }
  return found;
}

/** What differs between copies, buffers that are not shared, and what mentions any of these. */
function ownNames(modules: readonly ReadonlyMap<string, string>[], shared: ReadonlySet<string>): Set<string> {
  const all = new Set(modules.flatMap((module) => [...module.keys()]));
  const own = new Set<string>();
  const differs = (name: string): boolean => {
    const text = modules[0].get(name);
    if (text === undefined || modules.some((module) => module.get(name) !== text)) return true;
    return (bindingNumber.test(text) && !shared.has(name)) || wordsOf(text).some((mentioned) => own.has(mentioned));
  };
  for (let before = -1; before < own.size; ) {
    before = own.size;
    for (const name of all) if (!own.has(name) && differs(name)) own.add(name);
  }
  return own;
}
