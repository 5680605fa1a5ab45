/**
 * Turns a WGSL file into a specialised shader. Constants become `const NAME = value;` lines in front
 * of the text, so the file stays plain WGSL; three line directives cover what constants cannot:
 *
 *     //@if NAME … //@else … //@end      keeps one branch (bindings that exist only for some formats)
 *     //@unroll i COUNT … //@end         repeats the lines, with `$i` replaced by 0, 1, …
 *
 * Directives nest. COUNT is a number or the name of a constant. `$[ $i * SIZE / 4 ]` is replaced by its
 * value (whole numbers, constants, + * / % from left to right by precedence; / rounds down), which
 * makes names such as `sum$[ $i / 4 ]`. Software adapters do not turn small
 * private arrays into registers, which is why unrolling is done here and not left to them.
 */
export type ShaderConstants = Readonly<Record<string, number | boolean>>;

export interface ShaderOptions {
  constants?: ShaderConstants;
  /** WGSL `enable` extensions: 'f16', 'subgroups'. */
  enables?: readonly string[];
  /** Rules of the compiler that the text is known to keep, though the compiler cannot see it. */
  diagnosticsOff?: readonly string[];
  /** `alias NAME = type;` lines. */
  aliases?: Readonly<Record<string, string>>;
}

/** Joins WGSL texts (helpers first or last: order does not matter) into one specialised module. */
export function specialise(texts: readonly string[], options: ShaderOptions = {}): string {
  const constants = options.constants ?? {};
  const prelude = [
    ...(options.enables ?? []).map((name) => `enable ${name};`),
    ...(options.diagnosticsOff ?? []).map((name) => `diagnostic(off, ${name});`),
    ...Object.entries(options.aliases ?? {}).map(([name, type]) => `alias ${name} = ${type};`),
    ...Object.entries(constants).map(([name, value]) => `const ${name} = ${value};`),
  ];
  const lines = texts.flatMap((text) => text.split('\n'));
  const expanded = expand(lines, constants).map((line) =>
    line.replaceAll(/\$\[([^\]]*)\]/g, (_, expression: string) => String(evaluate(expression, constants))),
  );
  return [...prelude, ...expanded].join('\n');
}

/** Sums of products of whole numbers and constants. */
function evaluate(expression: string, constants: ShaderConstants): number {
  const terms = expression.split('+').map((term) => {
    const [first, ...rest] = term.split(/([*/%])/).map((part) => part.trim());
    let value = numberOf(first, constants);
    for (let index = 0; index < rest.length; index += 2) {
      const operand = numberOf(rest[index + 1], constants);
      if (rest[index] === '*') value *= operand;
      else value = rest[index] === '/' ? Math.floor(value / operand) : value % operand;
    }
    return value;
  });
  return terms.reduce((sum, term) => sum + term, 0);
}

const directive = /^\s*\/\/@(if|else|end|unroll)\b\s*(.*)$/;

function expand(lines: readonly string[], constants: ShaderConstants): string[] {
  const out: string[] = [];
  for (let index = 0; index < lines.length; index++) {
    const match = directive.exec(lines[index]);
    if (!match) {
      out.push(lines[index]);
      continue;
    }
    const [, keyword, rest] = match;
    const block = readBlock(lines, index);
    if (keyword === 'if') {
      const kept = condition(rest.trim(), constants) ? block.first : block.second;
      out.push(...expand(kept, constants));
    } else if (keyword === 'unroll') {
      const [name, countText] = rest.trim().split(/\s+/);
      const count = numberOf(countText, constants);
      for (let i = 0; i < count; i++) {
        const body = block.first.map((line) => line.replaceAll(`$${name}`, String(i)));
        out.push(...expand(body, constants));
      }
    } else {
      throw new Error(`WGSL directive //@${keyword} without a beginning`);
    }
    index = block.endIndex;
  }
  return out;
}

/** The lines of the block that begins at `start`, split at its own `//@else`. */
function readBlock(lines: readonly string[], start: number): { first: string[]; second: string[]; endIndex: number } {
  const first: string[] = [];
  const second: string[] = [];
  let current = first;
  let depth = 0;
  for (let index = start + 1; index < lines.length; index++) {
    const keyword = directive.exec(lines[index])?.[1];
    if (keyword === 'if' || keyword === 'unroll') depth++;
    if (keyword === 'end') {
      if (depth === 0) return { first, second, endIndex: index };
      depth--;
    }
    if (keyword === 'else' && depth === 0) current = second;
    else current.push(lines[index]);
  }
  throw new Error(`WGSL directive without //@end: ${lines[start].trim()}`);
}

function condition(expression: string, constants: ShaderConstants): boolean {
  const negated = expression.startsWith('!');
  const name = negated ? expression.slice(1) : expression;
  if (!(name in constants)) throw new Error(`WGSL directive //@if names an unknown constant: ${name}`);
  return Boolean(constants[name]) !== negated;
}

function numberOf(text: string, constants: ShaderConstants): number {
  const value = text in constants ? Number(constants[text]) : Number(text);
  if (!Number.isInteger(value) || value < 0) throw new Error(`WGSL directive needs a whole number: ${text}`);
  return value;
}
