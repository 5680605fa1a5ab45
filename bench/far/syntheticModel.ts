/**
 * Models of given shapes with random weights, made while they are read: benches of speed need no file, and llama.cpp can
 * be given the same shape by a file.
 */
import { writeHeader } from '../../engine/formats/gguf/testing/writeGguf.ts';
import { seededRandom } from '../../engine/formats/quantisation/testing/seededRandom.ts';
import { tensorType } from '../../engine/formats/quantisation/tensorTypes.ts';
import { floatsToHalves } from '../../engine/formats/half.ts';
import type { WeightSource } from '../../engine/ports.ts';

export interface ModelShape {
  type: 'Q8_0' | 'Q4_0';
  layers: number;
  hiddenSize: number;
  width: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  vocabularySize: number;
}

/** Llama 3.2 1B, Llama 3.1 8B, and one for tests. */
export const modelShapes = {
  '1b': { type: 'Q8_0', layers: 16, hiddenSize: 2048, width: 8192, heads: 32, kvHeads: 8, headDim: 64, vocabularySize: 128_256 },
  '8b': { type: 'Q4_0', layers: 32, hiddenSize: 4096, width: 14_336, heads: 32, kvHeads: 8, headDim: 128, vocabularySize: 128_256 },
  small: { type: 'Q4_0', layers: 2, hiddenSize: 128, width: 256, heads: 4, kvHeads: 2, headDim: 64, vocabularySize: 512 },
} as const satisfies Record<string, ModelShape>;

export type ShapeName = keyof typeof modelShapes;

const alignment = 32;
/** Blocks before the weights begin again: no divisor of a row, so that rows differ. */
const patternBlocks = 4093;
const weightDeviation = 0.02;

interface PlacedTensor {
  beginBytes: number;
  endBytes: number;
  pattern: Uint8Array;
}

export class SyntheticModel implements WeightSource {
  readonly name: string;
  readonly sizeBytes: number;
  readonly #header: Uint8Array;
  /** In the file's order. */
  readonly #tensors: PlacedTensor[] = [];

  constructor(shapeName: ShapeName) {
    const shape: ModelShape = modelShapes[shapeName];
    const listed = tensorsOf(shape).map(({ name, dims, type }) => {
      const { blockElements, blockBytes } = tensorType(type);
      return { name, dims, type, sizeBytes: (dims.reduce((a, b) => a * b, 1) / blockElements) * blockBytes };
    });
    this.name = `synthetic ${shapeName} ${shape.type}`;
    this.#header = writeHeader({ metadata: metadataOf(shape, this.name), tensors: listed, alignment }).finish();
    const patterns = { [shape.type]: randomBlocks(shape.type), F32: new Uint8Array(new Float32Array(1024).fill(1).buffer) };
    let beginBytes = this.#header.length;
    for (const { type, sizeBytes } of listed) {
      this.#tensors.push({ beginBytes, endBytes: beginBytes + sizeBytes, pattern: patterns[type] });
      beginBytes += Math.ceil(sizeBytes / alignment) * alignment;
    }
    this.sizeBytes = beginBytes;
  }

  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(lengthBytes);
    await this.readInto(offsetBytes, bytes);
    return bytes;
  }

  readInto(offsetBytes: number, bytes: Uint8Array): Promise<void> {
    const lengthBytes = bytes.length;
    if (offsetBytes + lengthBytes > this.sizeBytes) return Promise.reject(new RangeError(`${this.name}: bytes ${offsetBytes}…${offsetBytes + lengthBytes} pass its end`));
    bytes.set(this.#header.subarray(Math.min(offsetBytes, this.#header.length), offsetBytes + lengthBytes));
    for (const { beginBytes, endBytes, pattern } of this.#tensors) {
      const end = Math.min(endBytes, offsetBytes + lengthBytes);
      for (let at = Math.max(beginBytes, offsetBytes); at < end; ) {
        const within = (at - beginBytes) % pattern.length;
        const piece = pattern.subarray(within, within + end - at);
        bytes.set(piece, at - offsetBytes);
        at += piece.length;
      }
    }
    return Promise.resolve();
  }
}

function tensorsOf({ type, layers, hiddenSize, width, heads, kvHeads, headDim, vocabularySize }: ModelShape) {
  const matrix = (name: string, inputs: number, outputs: number) => ({ name: `${name}.weight`, dims: [inputs, outputs], type });
  const norm = (name: string) => ({ name: `${name}.weight`, dims: [hiddenSize], type: 'F32' as const });
  return [
    matrix('token_embd', hiddenSize, vocabularySize),
    norm('output_norm'),
    ...Array.from({ length: layers }, (_, i) => [
      norm(`blk.${i}.attn_norm`),
      norm(`blk.${i}.ffn_norm`),
      matrix(`blk.${i}.attn_q`, hiddenSize, heads * headDim),
      matrix(`blk.${i}.attn_k`, hiddenSize, kvHeads * headDim),
      matrix(`blk.${i}.attn_v`, hiddenSize, kvHeads * headDim),
      matrix(`blk.${i}.attn_output`, heads * headDim, hiddenSize),
      matrix(`blk.${i}.ffn_gate`, hiddenSize, width),
      matrix(`blk.${i}.ffn_up`, hiddenSize, width),
      matrix(`blk.${i}.ffn_down`, width, hiddenSize),
    ]).flat(),
  ];
}

function metadataOf({ layers, hiddenSize, width, heads, kvHeads, headDim, vocabularySize }: ModelShape, name: string) {
  const uint = (value: number) => ({ type: 'uint32' as const, value });
  const text = (value: string) => ({ type: 'string' as const, value });
  return {
    'general.architecture': text('llama'),
    'general.name': text(name),
    'llama.block_count': uint(layers),
    'llama.context_length': uint(2 ** 20 + 2 ** 13),
    'llama.embedding_length': uint(hiddenSize),
    'llama.feed_forward_length': uint(width),
    'llama.attention.head_count': uint(heads),
    'llama.attention.head_count_kv': uint(kvHeads),
    'llama.attention.key_length': uint(headDim),
    'llama.attention.value_length': uint(headDim),
    'llama.attention.layer_norm_rms_epsilon': { type: 'float32' as const, value: 1e-5 },
    'llama.rope.freq_base': { type: 'float32' as const, value: 500_000 },
    'llama.vocab_size': uint(vocabularySize),
  };
}

/** Blocks of one scale and random integers, of about normal size. */
function randomBlocks(type: ModelShape['type']): Uint8Array {
  const { blockBytes } = tensorType(type);
  const random = seededRandom(1);
  const bytes = Uint8Array.from({ length: patternBlocks * blockBytes }, () => Math.floor(256 * random()));
  // Of integers that all are equally likely.
  const deviation = type === 'Q8_0' ? 73.9 : 4.61;
  const scale = new Uint8Array(floatsToHalves(Float32Array.of(weightDeviation / deviation)).buffer);
  for (let block = 0; block < patternBlocks; block++) bytes.set(scale.subarray(0, 2), block * blockBytes);
  return bytes;
}
