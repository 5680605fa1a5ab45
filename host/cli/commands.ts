/** The commands, their options and what is said when they are used wrongly. */
import type { ParseArgsOptionsConfig } from 'node:util';
import { ask, complete, readPromptFile } from './ask.ts';
import { bench } from './bench.ts';
import { benchTiers, readTiers, tiersOptions } from './benchTiers.ts';
import { type CommandContext, usageError } from './context.ts';
import { doctor } from './doctor.ts';
import { evaluatePolicies } from './eval.ts';
import { evalOptions, evalSummary, evalUsage, readEval } from './evalOptions.ts';
import { memories, memoriesUsage } from './memories.ts';
import { models, modelsOptions, modelsUsage } from './models.ts';
import { type OptionValues, integer, modelOptions, oneOf, policyOptions, readBytes, readContext, readPolicy, readSampling, readSparseReading, samplingOptions, text, traceOptions } from './options.ts';
import { logits, tokens } from './probe.ts';
import { read } from './read.ts';
import { restore } from './restore.ts';
import { serve } from './serve.ts';

export interface Command {
  usage: string;
  summary: string;
  options: ParseArgsOptionsConfig;
  run(context: CommandContext, values: OptionValues, positionals: string[]): Promise<void>;
}

export const commands: Record<string, Command> = {
  ask: {
    usage: 'ask DOCUMENT QUESTION [--model ID|FILE] [--policy sketch|full|window|graph|clusters|quest|flat] [--budget TOKENS|N%] [--misses strict|lagged|rolling] [--kv-gpu BYTES] [--kv-ram BYTES] [--kv-format f16|q8] [--sparse-reading N%[@TOKENS]|off] [--context TOKENS] [--max-tokens N] [--temperature T] [--seed N] [--trace FILE]',
    summary: 'answer a question about a document: a PDF, EPUB, Word, Excel, PowerPoint, HTML, Markdown, CSV or text file, or a folder of code',
    options: { ...modelOptions, ...policyOptions, ...samplingOptions, ...traceOptions },
    run: (context, values, positionals) => {
      const [document, question] = take(positionals, 'ask', ['DOCUMENT', 'QUESTION']);
      return ask(context, document, question, answerOptions(values));
    },
  },
  read: {
    usage: 'read DOCUMENT [--model ID|FILE] [--kv-gpu BYTES] [--kv-ram BYTES] [--kv-format f16|q8] [--sparse-reading N%[@TOKENS]|off] [--context TOKENS]',
    summary: 'read a document once and keep what was read; again, to go on or to hear that it is done',
    options: { ...modelOptions, ...policyOptions },
    run: (context, values, positionals) => {
      const [document] = take(positionals, 'read', ['DOCUMENT']);
      return read(context, document, { model: text(values, 'model'), contextTokens: readContext(values), kv: readPolicy(values).kv });
    },
  },
  complete: {
    usage: 'complete [PROMPT] [--prompt-file FILE|-] [--raw] [the options of ask]',
    summary: 'continue a prompt; --raw: without a chat template',
    options: { ...modelOptions, ...policyOptions, ...samplingOptions, ...traceOptions, 'prompt-file': { type: 'string' }, raw: { type: 'boolean' } },
    run: async (context, values, positionals) => {
      const file = text(values, 'prompt-file');
      if ((file === undefined) === (positionals.length === 0) || positionals.length > 1) {
        throw usageError('“complete” takes one prompt: as an argument or with --prompt-file.', 'Write: longleaf complete --prompt-file FILE (“-” reads stdin)');
      }
      const prompt = file === undefined ? (positionals[0] ?? '') : await readPromptFile(file);
      if (prompt === '') throw usageError('The prompt is empty.', 'Give it some text.');
      await complete(context, prompt, values['raw'] === true, answerOptions(values));
    },
  },
  tokens: {
    usage: 'tokens FILE --model ID|FILE',
    summary: 'the token ids of a text',
    options: { model: { type: 'string' } },
    run: (context, values, positionals) => {
      const [file] = take(positionals, 'tokens', ['FILE']);
      return tokens(context, file, text(values, 'model'));
    },
  },
  logits: {
    usage: 'logits --tokens FILE --model ID|FILE [--chunk N] [--policy NAME] [--budget TOKENS|N%] [--context TOKENS]',
    summary: 'the logits of given tokens, one JSON line a case',
    options: { ...modelOptions, ...policyOptions, tokens: { type: 'string' }, chunk: { type: 'string' } },
    run: (context, values, positionals) => {
      take(positionals, 'logits', []);
      const cases = text(values, 'tokens');
      if (cases === undefined) throw usageError('“logits” needs --tokens FILE.', 'Write: longleaf logits --tokens FILE --model ID|FILE');
      const chunkTokens = integer(values, 'chunk', 1, 65_536) ?? null;
      return logits(context, cases, { model: text(values, 'model'), contextTokens: readContext(values), chunkTokens, ...readPolicy(values) });
    },
  },
  models: {
    usage: modelsUsage,
    summary: 'the models on this machine and at the hub',
    options: modelsOptions,
    run: (context, values, positionals) => models(context, values, positionals),
  },
  memories: {
    usage: memoriesUsage,
    summary: 'what was read and is kept',
    options: {},
    run: (context, _values, positionals) => memories(context, positionals),
  },
  serve: {
    usage: 'serve [--port N] [--no-open]',
    summary: 'the interface in a browser',
    options: { port: { type: 'string' }, 'no-open': { type: 'boolean' } },
    run: (context, values, positionals) => {
      take(positionals, 'serve', []);
      return serve(context, { port: integer(values, 'port', 0, 65_535), openBrowser: values['no-open'] !== true });
    },
  },
  restore: {
    usage: 'restore',
    summary: 'put the newest sound backup in the place of a damaged database',
    options: {},
    run: (context, _values, positionals) => {
      take(positionals, 'restore', []);
      return restore(context);
    },
  },
  doctor: {
    usage: 'doctor',
    summary: 'what this machine and its GPU offer',
    options: {},
    run: (context, _values, positionals) => {
      take(positionals, 'doctor', []);
      return doctor(context);
    },
  },
  eval: {
    usage: evalUsage,
    summary: evalSummary,
    options: evalOptions,
    run: (context, values, positionals) => {
      const [suites] = take(positionals, 'eval', ['SUITE']);
      return evaluatePolicies(context, readEval(suites, values));
    },
  },
  bench: {
    usage:
      'bench [speed] [--model ID|FILE] [--prefill N] [--decode N] [--rounds N] [--peer FOLDER] [--peer-on cpu|vulkan] [--kv-gpu BYTES] [--sparse-reading N%[@TOKENS]|off] [--no-kernels] | ' +
      'bench tiers [--shape 1b|8b|small] [--model FILE] [--tokens N] [--resident N] [--gpu-share SHARE] [--disk FOLDER [--ram-share SHARE]] [--formats f16,q8] [--policies NAME:BUDGET,…] [--misses lagged,strict] [--hits RATIO,…] [--steps N] [--kernels] [--small]',
    summary: 'how fast a model and its kernels run here; --peer: beside llama.cpp (node-llama-cpp or @fugood/llama.node in FOLDER/node_modules); tiers: with a context beyond the GPU',
    options: {
      model: { type: 'string' },
      prefill: { type: 'string' },
      decode: { type: 'string' },
      rounds: { type: 'string' },
      peer: { type: 'string' },
      'peer-on': { type: 'string' },
      'kv-gpu': { type: 'string' },
      'sparse-reading': { type: 'string' },
      'no-kernels': { type: 'boolean' },
      ...tiersOptions,
    },
    run: (context, values, positionals) => {
      const [suite = 'speed'] = positionals;
      if (positionals.length > 1 || (suite !== 'speed' && suite !== 'tiers')) throw usageError(`There is no suite “${positionals.join(' ')}”.`, 'Use: longleaf bench speed or longleaf bench tiers');
      if (suite === 'tiers') return benchTiers(context, readTiers(values));
      return bench(context, {
        model: text(values, 'model'),
        prefillTokens: integer(values, 'prefill', 1, 1_000_000) ?? 512,
        decodeTokens: integer(values, 'decode', 1, 100_000) ?? 64,
        rounds: integer(values, 'rounds', 1, 1000) ?? 1,
        peer: text(values, 'peer'),
        peerBackend: oneOf(values, 'peer-on', ['cpu', 'vulkan']),
        kernels: values['no-kernels'] !== true,
        kvGpuBytes: readBytes(values, 'kv-gpu') ?? null,
        sparseReading: readSparseReading(text(values, 'sparse-reading') ?? 'off'),
      });
    },
  },
};

function answerOptions(values: OptionValues) {
  return { model: text(values, 'model'), contextTokens: readContext(values), sampling: readSampling(values), trace: text(values, 'trace'), ...readPolicy(values) };
}

function take<const Names extends readonly string[]>(positionals: string[], command: string, names: Names): { [I in keyof Names]: string } {
  if (positionals.length !== names.length) {
    const wanted = names.length === 0 ? 'no arguments' : names.join(' and ');
    throw usageError(`“${command}” takes ${wanted}; ${positionals.length} given.`, `Write: longleaf ${commands[command]?.usage ?? command}`);
  }
  return positionals as { [I in keyof Names]: string };
}
