/** What a family file offers, and the checks that all families share. */
import { EngineError } from '../errors.ts';
import type { GgufFile } from '../formats/gguf/readGguf.ts';
import { type EvictingSpec, routerShapes } from './evictingSpec.ts';
import { shapesOf } from './linearSpec.ts';
import type { SparseSpec } from './sparseSpec.ts';
import { type AttentionSpec, type FeedForwardSpec, type GatedSpec, type ModelSpec, normTensors, tensorsOf } from './spec.ts';

export interface Family {
  /** Values of `general.architecture` that this file reads. */
  architectures: readonly string[];
  /** Turns a header into a description; throws a named error when the file lacks something. */
  describe(file: GgufFile): ModelSpec;
}

/** Tensors that older converters left in files and that no forward pass needs. */
const ignorable = /^(rope_freqs\.weight|blk\.\d+\.attn_rot_embd|.*\.rotary_emb\.inv_freq)$/;

/**
 * The description must match the file both ways: a tensor that is missing cannot be computed, and one
 * that is not used means a model that this family does not fully understand, which would give
 * plausible but wrong text.
 */
export function checkTensors(file: GgufFile, spec: ModelSpec): void {
  const used = tensorsOf(spec);
  for (const name of used) {
    if (file.tensors.has(name)) continue;
    throw new EngineError(
      'model-incomplete',
      `The model file lacks the tensor ${name}, which a ${spec.architecture} model of ${spec.blocks.length} layers needs.`,
      'Download or convert the file again.',
    );
  }
  for (const name of file.tensors.keys()) {
    if (used.has(name) || ignorable.test(name) || predictsFurther(file, spec, name)) continue;
    throw new EngineError(
      'unknown-architecture',
      `The model file has a tensor ${name} that Longleaf's ${spec.architecture} family does not use, so its answers would be wrong.`,
      'Choose a model from the catalogue, or report this file so that its variant can be supported.',
    );
  }
}

/** Of blocks behind the others that guess tokens further ahead, and that no plain decoding needs. */
function predictsFurther({ metadata }: GgufFile, { architecture, blocks }: ModelSpec, name: string): boolean {
  const block = /^blk\.(\d+)\./.exec(name)?.[1];
  return block !== undefined && Number(block) >= blocks.length && metadata.integerOr(`${architecture}.nextn_predict_layers`, 0) > 0;
}

/** Checks a matrix' shape: [inputs, outputs] as GGUF stores it. */
export function checkShape(file: GgufFile, name: string, ...dims: readonly number[]): void {
  const tensor = file.tensors.get(name);
  if (!tensor) return;
  const actual = [...tensor.dims];
  while (actual.length > dims.length && actual.at(-1) === 1) actual.pop();
  if (actual.length === dims.length && actual.every((dim, i) => dim === dims[i])) return;
  throw new EngineError(
    'model-incomplete',
    `The tensor ${name} is ${actual.join(' × ')} where the header's numbers ask for ${dims.join(' × ')}.`,
    'The file is damaged or made by an unknown converter: download it again.',
  );
}

/** The shapes of everything a description names, from its own numbers. */
export function checkShapes(file: GgufFile, spec: ModelSpec): void {
  const { hiddenSize, vocabularySize } = spec;
  checkShape(file, spec.embedding.tensor, hiddenSize, vocabularySize);
  checkShape(file, spec.outputTensor, hiddenSize, vocabularySize);
  for (const name of normTensors(spec)) checkShape(file, name, hiddenSize);
  for (const { mixer, feedForward } of spec.blocks) {
    if (mixer.kind === 'linear') for (const { name, dims } of shapesOf(mixer)) checkShape(file, name, ...dims);
    else checkAttention(file, mixer, hiddenSize);
    if (mixer.kind === 'sparse') checkShape(file, mixer.gates.name, ...mixer.gates.dims);
    if (mixer.kind === 'evicting') for (const { name, dims } of routerShapes(mixer.router)) checkShape(file, name, ...dims);
    checkFeedForward(file, feedForward, hiddenSize);
  }
}

function checkAttention(file: GgufFile, { tensors, rotary, heads, kvHeads, headDim, gatedQueries }: AttentionSpec | SparseSpec | EvictingSpec, hiddenSize: number): void {
  const vectors = [gatedQueries ? 2 * heads : heads, kvHeads, kvHeads].map((count) => count * headDim);
  checkStacked(file, tensors.projections, [hiddenSize], vectors);
  checkStacked(file, tensors.biases, [], vectors);
  checkShape(file, tensors.output, heads * headDim, hiddenSize);
  for (const name of [tensors.queryNorm, tensors.keyNorm]) if (name) checkShape(file, name, headDim);
  for (const name of [rotary.divisors, rotary.longDivisors?.tensor]) if (name) checkShape(file, name, rotary.rotatedDims / 2);
}

function checkFeedForward(file: GgufFile, spec: FeedForwardSpec, hiddenSize: number): void {
  if (spec.kind === 'channel mix') {
    checkShape(file, spec.tensors.shift, hiddenSize);
    checkShape(file, spec.tensors.key, hiddenSize, spec.width);
    checkShape(file, spec.tensors.value, spec.width, hiddenSize);
    return;
  }
  const experts = spec.kind === 'experts' ? [spec.experts] : [];
  checkGated(file, spec, hiddenSize, experts);
  if (spec.kind === 'gated') return;
  checkShape(file, spec.tensors.router, hiddenSize, spec.experts);
  if (!spec.shared) return;
  checkGated(file, spec.shared, hiddenSize);
  if (spec.shared.tensors.gate) checkShape(file, spec.shared.tensors.gate, hiddenSize);
}

function checkGated(file: GgufFile, { width, tensors }: Pick<GatedSpec, 'width' | 'tensors'>, hiddenSize: number, experts: readonly number[] = []): void {
  checkStacked(file, tensors.gateUp, [hiddenSize], [width, width], experts);
  checkShape(file, tensors.down, width, hiddenSize, ...experts);
}

/** Tensors of `rows` rows each, or one of all their rows. */
function checkStacked(file: GgufFile, names: readonly string[], inputs: readonly number[], rows: readonly number[], outer: readonly number[] = []): void {
  const counts = names.length === 1 ? [rows.reduce((sum, count) => sum + count, 0)] : rows;
  for (const [i, name] of names.entries()) checkShape(file, name, ...inputs, counts[i], ...outer);
}

/** A header number that must be a positive integer no greater than `maximum`. */
export function size(file: GgufFile, key: string, maximum: number, fallback?: number): number {
  const value = fallback === undefined ? file.metadata.integer(key) : file.metadata.integerOr(key, fallback);
  if (value > 0 && value <= maximum) return value;
  throw new EngineError(
    'model-incomplete',
    `The header says ${key} = ${value}; Longleaf accepts 1 to ${maximum}.`,
    'The file is damaged or made by an unknown converter: download it again.',
  );
}

/** The size of the vocabulary is that of the embedding: `vocab_size` is often missing or rounded. */
export function vocabularySizeOf(file: GgufFile): number {
  return file.tensors.get('token_embd.weight')?.dims[1] ?? 0;
}

/** A header number that is either one for all layers or an array of one a layer. */
export function perLayer(file: GgufFile, key: string, layers: number): readonly number[] {
  const { metadata } = file;
  const values = metadata.isArray(key) ? metadata.numbers(key) : Array.from({ length: layers }, () => metadata.integer(key));
  if (values.length >= layers && values.every((value) => Number.isInteger(value) && value >= 0 && value <= 1024)) return values.slice(0, layers);
  throw new EngineError('model-incomplete', `The header's ${key} is not a number of heads for each of ${layers} layers.`, 'Download or convert the file again.');
}
