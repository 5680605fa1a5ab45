import { expect, test } from 'vitest';
import { type CaseLine, caseKey, parseCaseLines, withoutDuplicates } from '../caseLines.ts';
import { parsePolicies, percentOf } from '../policies.ts';
import { markdownReport } from './markdown.ts';
import { pageReport } from './page.ts';
import { plotFile } from './plot.ts';
import { plotsOf } from './plots.ts';
import { summarise } from './summary.ts';

const base = { model: 'Tiny & <fast>', suite: 'mixed', lengthTokens: 6000, depth: null, kv: '25% f16', tokens: 10, exactShare: 0.02, hitShare: 0.75, massShare: null, recall: null, stepMs: 5 } as const;

/** Twenty documents with two questions and a continuation; full attention answers the first question only. */
function lines(): CaseLine[] {
  return Array.from({ length: 20 }, (_, seed) => [0, 1, 2].map((tail) => ({ seed, tail, kind: tail === 2 ? ('continuation' as const) : ('question' as const) })))
    .flat()
    .flatMap(({ seed, tail, kind }) => {
      const truth: CaseLine = { ...base, seed, tail, kind, policy: 'resident', klNats: 0, agreement: 1, found: kind === 'question' ? tail === 0 : null, exactShare: 1, hitShare: null };
      const ceiling: CaseLine = { ...truth, policy: 'flat+estimate 2%', klNats: 0.004 + 0.0001 * (seed % 3), agreement: 0.95, exactShare: 0.02 };
      // Loses every tenth question that full attention answers, and is a quarter further away.
      const sketch: CaseLine = { ...ceiling, policy: 'sketch 2%', klNats: 1.25 * ceiling.klNats, found: kind === 'question' ? tail === 0 && seed % 10 !== 0 : null };
      return [truth, ceiling, sketch, { ...sketch, policy: 'sketch 0.25%', klNats: 0.03 }];
    });
}

test('cells: what was answered, kept and how far away, each with its interval', () => {
  const { cells } = summarise(lines());
  expect(cells.map(({ policy }) => policy)).toEqual(['resident', 'flat+estimate 2%', 'sketch 0.25%', 'sketch 2%']);
  const sketch = cells.find(({ policy }) => policy === 'sketch 2%')!;
  expect(sketch.documents).toBe(20);
  expect(sketch.found).toMatchObject({ value: 18 / 40, n: 40 });
  expect(sketch.kept).toMatchObject({ value: 18 / 20, n: 20 });
  expect(sketch.kept!.low).toBeCloseTo(0.699, 3);
  expect(sketch.kept!.high).toBeCloseTo(0.972, 3);
  expect(sketch.kl.question!.n).toBe(40);
  expect(sketch.kl.continuation!.value).toBeCloseTo(1.25 * (0.004 + 0.0001 * ((7 * 0 + 7 * 1 + 6 * 2) / 20)), 9);
  expect(sketch.kl.continuation!.low).toBeLessThan(sketch.kl.continuation!.value);
  expect(cells[0].kept).toBeNull();
});

test('comparisons: paired ratios to the ceiling and to the default, claimed only outside their interval', () => {
  const { comparisons } = summarise(lines());
  const wanted = comparisons.find(({ policy, kind }) => policy === 'sketch 2%' && kind === 'continuation')!;
  expect(wanted.base).toBe('flat+estimate 2%');
  expect(wanted.ratio.value).toBeCloseTo(1.25, 6);
  expect(wanted.claim).toBe('higher');
  // There is no ceiling at 0.25 %.
  expect(comparisons.some(({ policy }) => policy === 'sketch 0.25%')).toBe(false);
  const equal = summarise(lines().map((line) => (line.policy === 'sketch 2%' ? { ...line, klNats: line.seed % 2 === 0 ? 0.003 : 0.0052 } : line)));
  expect(equal.comparisons.find(({ policy }) => policy === 'sketch 2%')!.claim).toBe('undecided');
});

test('settings that differ are different cells', () => {
  const other = lines().map((line) => ({ ...line, kv: '12.5% f16' }));
  expect(summarise([...lines(), ...other]).cells).toHaveLength(8);
});

test('depths: a cell for each, in order', () => {
  const deep = lines().map((line) => ({ ...line, suite: 'needle', depth: line.seed % 2 === 0 ? 1 : 0.5 }));
  const { depths } = summarise(deep);
  expect(depths.filter(({ policy }) => policy === 'resident').map(({ depth, found }) => [depth, found.value, found.n])).toEqual([[0.5, 0.5, 20], [1, 0.5, 20]]);
  expect(pageReport(summarise(deep))).toContain('10 of 20');
});

test('the table names every figure of a cell', () => {
  const markdown = markdownReport(summarise(lines()));
  expect(markdown).toContain('### Tiny & <fast>, mixed, 6,000 tokens, KV budget on the GPU 25% f16');
  expect(markdown).toMatch(/\| sketch 2% \| 20 \| 18 of 40 \| 18 of 20: 90\.0 % \(69\.9 %–97\.2 %\) \| 0\.0051 \(0\.0051–0\.0052\) \| 95\.0 % /);
  expect(markdown).toMatch(/\| sketch 2% \| flat\+estimate 2% \| continuation \| 1\.25× \(1\.25×–1\.25×\) \| 20 \| flat\+estimate 2% is closer to full attention \|/);
  const rows = markdown.split('\n').filter((line) => line.startsWith('|'));
  expect(new Set(rows.slice(0, 6).map((row) => row.split(' | ').length)).size).toBe(1);
});

test('the page loads nothing, escapes what it shows, and holds a plot for each measure', () => {
  const page = pageReport(summarise(lines()));
  expect(page.match(/<svg /g)).toHaveLength(5);
  expect(page).toContain('Tiny &amp; &lt;fast&gt;');
  expect(page).not.toMatch(/https?:|src=|href=|url\(|@import|<script/);
  expect(page).toContain('prefers-color-scheme: dark');
  for (const tag of ['div', 'table', 'tr', 'td', 'th', 'svg', 'g', 'p', 'h2']) {
    expect(page.match(new RegExp(`<${tag}[ >]`, 'g'))?.length, tag).toBe(page.match(new RegExp(`</${tag}>`, 'g'))?.length);
  }
});

test('plots place their points inside, in the order of the budgets, also with unbounded intervals', () => {
  const onlyOne = lines().filter(({ seed }) => seed === 1);
  for (const cases of [lines(), onlyOne]) {
    const plots = plotsOf(summarise(cases).cells);
    expect(plots.map(({ name }) => name)).toEqual(['kl-continuations', 'agreement-continuations', 'kl-questions', 'agreement-questions', 'kept']);
    for (const { plot } of plots) {
      const file = plotFile(plot);
      expect(file).not.toMatch(/NaN|Infinity/);
      const xs = [...file.matchAll(/<circle class="dot" cx="([\d.]+)" cy="([\d.]+)"/g)].map(([, x, y]) => [Number(x), Number(y)]);
      expect(xs.length).toBe(3);
      for (const [x, y] of xs) {
        expect(x).toBeGreaterThan(60);
        expect(x).toBeLessThan(450);
        expect(y).toBeGreaterThan(30);
        expect(y).toBeLessThan(300);
      }
    }
  }
});

test('cases survive a cut line and duplicates', () => {
  const [first, second] = lines();
  const text = `{"run":"about"}\n${JSON.stringify(first)}\n${JSON.stringify(first)}\n${JSON.stringify(second)}\n${JSON.stringify(second).slice(0, -20)}`;
  expect(parseCaseLines(text)).toEqual([first, first, second]);
  expect(withoutDuplicates(parseCaseLines(text))).toEqual([first, second]);
  expect(caseKey(first)).not.toBe(caseKey(second));
});

test('policies as they are written', () => {
  expect(parsePolicies('sketch,flat+estimate:5%/3,window,quest:500', ['1%', '2%'])).toEqual([
    { label: 'sketch 1%', policy: { name: 'sketch', budget: { share: 0.01 }, estimate: true }, seeds: Number.MAX_SAFE_INTEGER },
    { label: 'sketch 2%', policy: { name: 'sketch', budget: { share: 0.02 }, estimate: true }, seeds: Number.MAX_SAFE_INTEGER },
    { label: 'flat+estimate 5%', policy: { name: 'flat', budget: { share: 0.05 }, estimate: true }, seeds: 3 },
    { label: 'window', policy: { name: 'window', budget: { share: 1 }, estimate: false }, seeds: Number.MAX_SAFE_INTEGER },
    { label: 'quest 500', policy: { name: 'quest', budget: { tokens: 500 }, estimate: false }, seeds: Number.MAX_SAFE_INTEGER },
  ]);
  expect(parsePolicies('sketch-estimate', ['2%'])[0]).toMatchObject({ label: 'sketch-estimate 2%', policy: { estimate: false } });
  expect(parsePolicies('sketch:2%@8/3', [])).toEqual([{ label: 'sketch 2% every 8', policy: { name: 'sketch', budget: { share: 0.02 }, estimate: true, misses: 'rolling', turnSteps: 8 }, seeds: 3 }]);
  expect([percentOf('sketch 0.25%'), percentOf('sketch 2% every 8'), percentOf('quest 500'), percentOf('window')]).toEqual([0.25, 2, null, null]);
  expect(() => parsePolicies('sketchy', ['2%'])).toThrow('“sketchy” is not a policy');
  for (const turn of ['0', '65']) expect(() => parsePolicies(`sketch:2%@${turn}`, [])).toThrow(`“@${turn}” is no turn`);
  for (const turn of ['-1', 'often', '']) expect(() => parsePolicies(`sketch:2%@${turn}`, [])).toThrow(`“sketch:2%@${turn}” is not a policy`);
  expect(() => parsePolicies('sketch', ['0%'])).toThrow('“0%” is not a budget');
  expect(() => parsePolicies('sketch:1.5', [])).toThrow('“1.5” is not a budget');
});
