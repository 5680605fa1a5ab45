/** What `bench/speedRuns.mjs` found, as one page: speeds beside llama.cpp, where a step's time goes, kernels beside their rivals. */
import { escapeText } from '../truth/report/plot.ts';
import { barChart, flameStrip } from './charts.ts';
import { type BenchLine, readLine, type SweepLine } from './lines.ts';

const style = `
:root { color-scheme: light dark; --ink: #1b1b1a; --soft: #6a6964; --paper: #fff; --grid: #e4e2dc; --ours: #2f6fd0; --theirs: #b8b5ac; --wrong: #b3363b; }
@media (prefers-color-scheme: dark) { :root { --ink: #eceae4; --soft: #a3a199; --paper: #1e1d1b; --grid: #35342f; --ours: #6ea3f2; --theirs: #5c5a53; --wrong: #ef7d7f; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; } .soft { color: var(--soft); } svg { max-width: 100%; height: auto; display: block; margin: .75rem 0; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); } svg .soft { fill: var(--soft); }
.ours { fill: var(--ours); } .theirs { fill: var(--theirs); } .wrong { fill: var(--wrong); }`;

/** `texts`: the lines of the files, JSON each; lines of other programs are passed over. */
export function speedPage(texts: readonly string[]): string {
  const lines = texts.map(readLine).filter((line) => line !== null);
  const benches = lines.filter((line): line is BenchLine => line.event === 'done');
  const sweeps = lines.filter((line): line is SweepLine => line.event === 'sweep');
  const sections = [...benches.map(benchSection), ...sweepSections(sweeps)];
  const body = sections.length > 0 ? sections.join('\n') : '<p>There were no results.</p>';
  return `<!doctype html>\n<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Longleaf: speed</title><style>${style}</style>\n<h1>Speed</h1>\n${body}\n</html>\n`;
}

function benchSection({ model, adapter, rounds, prefillTokensPerSecond, decodeTokensPerSecond, peer, profile }: BenchLine): string {
  const { prefillTokens } = rounds[0];
  const bars = [
    { what: `reading ${prefillTokens} tokens`, ours: prefillTokensPerSecond, theirs: peer?.prefillTokensPerSecond },
    { what: `decoding at ${prefillTokens}`, ours: decodeTokensPerSecond, theirs: peer?.decodeTokensPerSecond },
  ].map(({ what, ours, theirs }) => {
    const ratio = theirs ? `, ${(ours.median / theirs.median).toFixed(2)} of llama.cpp` : '';
    const bar = (name: string, value: number, kind: string) => ({ name, value, kind, text: `${value.toFixed(1)} tokens/s` });
    return barChart(`${what}${ratio}`, [bar('Longleaf', ours.median, 'ours'), ...(theirs ? [bar('llama.cpp', theirs.median, 'theirs')] : [])]);
  });
  const phases = profile?.phases ?? [];
  // A kernel has its colour in every strip.
  const colours = [...new Set(phases.flatMap(({ timeline }) => (timeline ?? []).map(({ name }) => name)))];
  const strips = phases.flatMap(({ phase, step, timeline }) =>
    timeline ? [flameStrip(phase === 'reading' ? `Reading ${step.rows} tokens at position ${step.position}` : `Decoding a token at position ${step.position}`, timeline, colours)] : [],
  );
  const beside = peer ? ` Beside it llama.cpp: ${escapeText(peer.backend)}.` : '';
  return `<h2>${escapeText(model)}, ${prefillTokens} tokens</h2>\n<p class="soft">${escapeText(adapter)}. Medians of ${rounds.length}.${beside}</p>\n${[...bars, ...strips].join('\n')}`;
}

function sweepSections(lines: readonly SweepLine[]): string[] {
  const groups = new Map<string, SweepLine[]>();
  for (const line of lines) {
    const key = line.kind === 'row' ? `One row by ${line.inputs} × ${line.outputs}, ${line.codes}: share of what the adapter copies` : `${line.rows} rows by ${line.inputs} × ${line.outputs}, ${line.codes}: TFLOP/s`;
    groups.set(key, [...(groups.get(key) ?? []), line]);
  }
  if (groups.size === 0) return [];
  const charts = [...groups].map(([title, rivals]) =>
    barChart(
      title,
      rivals.map(({ kind, variant, copyShare, teraflops, wrong }) => {
        const text = kind === 'row' ? `${(100 * copyShare).toFixed(1)} %` : teraflops.toFixed(1);
        return { name: variant, value: kind === 'row' ? copyShare : teraflops, kind: wrong === null ? 'ours' : 'wrong', text: wrong === null ? text : wrong };
      }),
    ),
  );
  return [`<h2>Kernels beside their rivals</h2>\n${charts.join('\n')}`];
}
