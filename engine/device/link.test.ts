import { expect, test } from 'vitest';
import { link } from './link.ts';

const sums = `// Adds up numbers.
alias Total = f32;
struct Shape { count: u32 }
@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> numbers: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
var<workgroup> totals: array<f32, THREADS>;

const STRIDE = THREADS * EACH;
// Of numbers, as one may think.
fn plain(x: f32) -> f32 { return x; }

fn scaled(x: f32) -> f32 {
//@if DOUBLED
  return plain(2.0 * x); // numbers
//@else
  return plain(x);
//@end
}

fn addUp(invocation: u32) {
  for (var i = 0u; i < shape.count; i += STRIDE) {
    totals[invocation] += scaled(numbers[i]);
  }
}`;

const copies = [
  { texts: [sums], constants: { THREADS: 64, EACH: 1, DOUBLED: false } },
  { texts: [sums], constants: { THREADS: 64, EACH: 4, DOUBLED: true } },
];
const linked = link(copies, { shared: ['sums'], firstBinding: 1 });

test('what says the same in all copies is declared once, in front', () => {
  expect(linked.text.split('\n').slice(0, 6)).toEqual([
    'const THREADS = 64;',
    'alias Total = f32;',
    'struct Shape { count: u32 }',
    '@group(0) @binding(1) var<storage, read_write> sums: array<f32>;',
    'var<workgroup> totals: array<f32, THREADS>;',
    'fn plain(x: f32) -> f32 { return x; }',
  ]);
});

test('what differs, and what mentions it, has the number of its copy', () => {
  expect(linked.text).toContain('const EACH_0 = 1;');
  expect(linked.text).toContain('const EACH_1 = 4;');
  expect(linked.text).toContain('const STRIDE_1 = THREADS * EACH_1;');
  expect(linked.text).toContain('fn scaled_0(x: f32) -> f32 {\n  return plain(x);\n}');
  expect(linked.text).toContain('fn scaled_1(x: f32) -> f32 {\n  return plain(2.0 * x);\n}');
  expect(linked.text).toContain('fn addUp_1(invocation: u32) {\n  for (var i = 0u; i < shape_1.count; i += STRIDE_1) {\n    totals[invocation] += scaled_1(numbers_1[i]);\n  }\n}');
});

test('bindings are numbered anew, the shared ones first', () => {
  expect(linked.bindings).toEqual([
    { name: 'sums', copy: null },
    { name: 'shape', copy: 0 },
    { name: 'numbers', copy: 0 },
    { name: 'shape', copy: 1 },
    { name: 'numbers', copy: 1 },
  ]);
  expect(linked.text).toContain('@group(0) @binding(5) var<storage, read> numbers_1: array<f32>;');
});

test('members of structs that are called like a buffer change with it', () => {
  const text = 'struct Part { keys: u32 }\n@group(0) @binding(0) var<uniform> part: Part;\n@group(0) @binding(1) var<storage, read> keys: array<u32>;\nfn last() -> u32 { return keys[part.keys]; }';
  expect(link([{ texts: [text] }, { texts: [text] }], { shared: [] }).text).toContain('struct Part_1 { keys_1: u32 }\n@group(0) @binding(2) var<uniform> part_1: Part_1;');
});

test('buffers, names and lines that only some copies have', () => {
  const { text, bindings } = link(
    [
      { texts: ['const SIZE = 1;'], aliases: { Unit: 'u32' } },
      { texts: ['const SIZE = 1;', '@group(0) @binding(0) var<storage, read> units: array<Unit>;'], aliases: { Unit: 'vec2<u32>' } },
    ],
    { shared: ['units'] },
  );
  expect(text).toBe('const SIZE = 1;\nalias Unit_0 = u32;\nalias Unit_1 = vec2<u32>;\n@group(0) @binding(0) var<storage, read> units_1: array<Unit_1>;');
  expect(bindings).toEqual([{ name: 'units', copy: 1 }]);
});

test.each([
  ['entry points', '@compute @workgroup_size(64)\nfn main() {\n}'],
  ['extensions', 'enable f16;\nconst A = 1;'],
  ['declarations that go on at the beginning of a line', 'const A =\n1;'],
])('%s are refused', (_, text) => {
  expect(() => link([{ texts: [text] }], { shared: [] })).toThrow('declares nothing');
});

test('names that are taken, and names declared twice, are refused', () => {
  const text = '@group(0) @binding(0) var<storage, read> keys: array<u32>;\nfn first() -> u32 {\n  let keys_0 = keys[0];\n  return keys_0;\n}';
  expect(() => link([{ texts: [text] }], { shared: [] })).toThrow('has the name keys_0 already');
  expect(() => link([{ texts: ['const A = 1;', 'const A = 2;'] }], { shared: [] })).toThrow('declares A twice');
});
