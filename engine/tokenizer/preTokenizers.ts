/**
 * The rules that cut a text into pieces before byte-pair merges, by `tokenizer.ggml.pre`. Merges never
 * cross a cut. The expressions are the models' own published configuration; several names share one.
 */
export interface PreTokenizer {
  /**
   * Cuts are made stage by stage: each stage cuts the pieces of the one before. Every stage matches
   * from the start of any non-empty text, so that matches follow one another without gaps.
   */
  readonly stages: readonly RegExp[];
  /** Whether a piece that is a token as a whole is taken without merging. */
  readonly ignoreMerges: boolean;
  /** Whether prompts start with the BOS token when the file does not say. */
  readonly addBos: boolean;
}

/**
 * Compiles one stage. JavaScript's `\s` holds U+FEFF and lacks U+0085, other than the engines these
 * expressions were written for, so the Unicode property takes its place.
 */
function stage(source: string): RegExp {
  return new RegExp(source.replaceAll('\\s', '\\p{White_Space}').replaceAll('\\S', '\\P{White_Space}'), 'uy');
}

const contractions = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])";
const whiteSpace = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`;

/** The rule that GPT-4 started: words with one leading mark, digits `{n}` at a time. */
function words(digits: string): RegExp {
  return stage(
    String.raw`${contractions}|[^\r\n\p{L}\p{N}]?\p{L}+|${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|${whiteSpace}`,
  );
}

const wordsWithMarks = stage(
  String.raw`${contractions}|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|${whiteSpace}`,
);

/** The rule of o200k: a word changes where an upper-case letter follows a lower-case one. */
function casedWords(suffix: string, digits: string): RegExp {
  const upper = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
  const lower = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
  const lead = String.raw`[^\r\n\p{L}\p{N}]?`;
  return stage(
    String.raw`${lead}${upper}*${lower}+${suffix}|${lead}${upper}+${lower}*${suffix}|${digits}| ?[^\s\p{L}\p{N}]+[\r\n/]*|${whiteSpace}`,
  );
}

const gpt2Words = stage(
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
);
const singleDigits = stage(String.raw`\p{N}|\P{N}+`);

/** What stands for a file without a pre-tokenizer, as llama.cpp has it. */
const defaultStages = [
  stage(String.raw`[\p{P}$+<=>^~\|]+|[^\p{P}$+<=>^~\|]+`),
  gpt2Words,
  stage(String.raw`\p{N}+|\P{N}+`),
  stage(String.raw`[0-9]{3}|(?:(?![0-9]{3})[^])+`),
];

function rule(stages: readonly RegExp[], options: Partial<PreTokenizer> = {}): PreTokenizer {
  return { stages, ignoreMerges: false, addBos: false, ...options };
}

const gpt2 = rule([gpt2Words]);
const gpt2SingleDigits = rule([singleDigits, gpt2Words]);
const qwen2 = rule([words(String.raw`\p{N}`)]);
const llama3 = rule([words(String.raw`\p{N}{1,3}`)], { ignoreMerges: true, addBos: true });
const llama3Merging = rule([words(String.raw`\p{N}{1,3}`)]);
const gpt4o = rule([casedWords(`${contractions}?`, String.raw`\p{N}{1,3}`)]);

/** All supported rules by name. */
export const preTokenizers: ReadonlyMap<string, PreTokenizer> = new Map([
  ['default', rule(defaultStages)],
  ...named(gpt2, 'gpt-2 phi-2 mpt olmo jais trillion granite-docling gigachat mellum modern-bert exaone4'),
  ...named(gpt2, 'a.x-4.0 jina-es jina-de jina-v1-en jina-v2-es jina-v2-de jina-v2-code roberta-bpe'),
  ...named(gpt2SingleDigits, 'smollm starcoder refact command-r codeshell exaone minerva-7b mellum2'),
  ...named(qwen2, 'qwen2 deepseek-r1-qwen kormo f2llmv2 megrez stablelm2 hunyuan solar-open grok-2'),
  ['qwen35', rule([wordsWithMarks])],
  ...named(llama3, 'llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano'),
  ...named(llama3Merging, 'dbrx smaug-bpe glm4 chatglm-bpe'),
  ...named(gpt4o, 'gpt-4o llama4 kanana2 talkie minimax-m2'),
  ['tekken', rule([casedWords('', String.raw`\p{N}`)], { ignoreMerges: true, addBos: true })],
]);

function named(rule: PreTokenizer, names: string): [string, PreTokenizer][] {
  return names.split(' ').map((name) => [name, rule]);
}
