/** `longleaf eval`: the truth bench. Policies against full attention, on documents with known answers. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { markdownReport } from '../../bench/truth/report/markdown.ts';
import { pageReport } from '../../bench/truth/report/page.ts';
import { plotFiles } from '../../bench/truth/report/plots.ts';
import { summarise } from '../../bench/truth/report/summary.ts';
import type { TriedPolicy } from '../../bench/truth/policies.ts';
import type { SuiteName } from '../../bench/truth/suites/suites.ts';
import { readCases } from '../eval/caseFiles.ts';
import { readEvalData } from '../eval/evalData.ts';
import type { EvalRequest } from '../eval/evalProtocol.ts';
import { runEval } from '../eval/runEval.ts';
import type { CommandContext } from './context.ts';
import { chooseModel } from './engine.ts';

export interface EvalOptions {
  suites: SuiteName[];
  model: string | undefined;
  lengthsTokens: number[];
  depths: (number | null)[];
  seeds: number[];
  policies: TriedPolicy[];
  /** Ways to read, each of which is tried with every policy; null: exactly. */
  sparseReadings: EvalRequest['sparseReadings'];
  kv: EvalRequest['kv'];
  dataSets: string | undefined;
  book: string | undefined;
  out: string;
  processes: number;
  lanes: number;
  seconds: number | null;
}

export async function evaluatePolicies(context: CommandContext, options: EvalOptions): Promise<void> {
  const { output, signal } = context;
  const { suites, model, lengthsTokens, depths, seeds, policies, sparseReadings, kv, book, processes, lanes, seconds } = options;
  const chosen = await chooseModel(context, model, null);
  const outFolder = resolve(options.out);
  const sets = { dataFolder: options.dataSets === undefined ? null : resolve(options.dataSets), book: book ?? null };
  // What is missing is said before anything is computed.
  readEvalData(sets.dataFolder, sets.book, suites);
  mkdirSync(outFolder, { recursive: true });
  const request = { modelPath: chosen.target.path, boundsChecks: chosen.target.boundsChecks, modelName: chosen.name, suites, lengthsTokens, depths, seeds, policies, sparseReadings, kv, ...sets, outFolder, cacheFolder: process.env['LONGLEAF_CACHE'] ?? join(homedir(), '.cache', 'longleaf'), lanes, seconds };
  await runEval(request, {
    processes,
    signal,
    onNote: (text) => output.note(text),
    onProgress: (done, total) => output.progress({ label: 'documents', done, total, unit: 'documents' }),
  });
  writeReport(context, outFolder);
}

/** Of everything in the folder, whichever runs it is from. */
export function writeReport({ output }: CommandContext, outFolder: string): void {
  const summary = summarise(readCases(outFolder));
  const markdown = markdownReport(summary);
  writeFileSync(join(outFolder, 'report.md'), markdown);
  writeFileSync(join(outFolder, 'report.html'), pageReport(summary));
  for (const { name, svg } of plotFiles(summary)) writeFileSync(join(outFolder, name), svg);
  writeFileSync(join(outFolder, 'summary.json'), `${JSON.stringify(summary, null, 1)}\n`);
  output.text(markdown);
  for (const cell of summary.cells) output.event({ event: 'cell', ...cell });
  output.event({ event: 'done', cells: summary.cells.length, out: outFolder });
}
