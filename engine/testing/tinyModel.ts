/**
 * Small random models as real GGUF files, so that the whole path from bytes to logits runs in tests
 * and on machines without any model. The text they write is noise; their arithmetic is not.
 */
import { encodeTensor, type EncodableTypeName } from '../formats/quantisation/testing/encodeTensor.ts';
import { seededRandom } from '../formats/quantisation/testing/seededRandom.ts';
import { type GgufToWrite, type TensorToWrite, type ValueToWrite, writeGguf } from '../formats/gguf/testing/writeGguf.ts';

export interface TinyModelOptions {
  architecture: 'llama' | 'gemma3' | 'qwen35' | 'lfm2';
  seed?: number;
  layers?: number;
  hiddenSize?: number;
  heads?: number;
  kvHeads?: number;
  headDim?: number;
  width?: number;
  contextTokens?: number;
  windowTokens?: number;
  /** With less, what a token follows from is less the token before it and more its context. */
  embeddingScale?: number;
  /** With more, a query attends to few keys, so that what it says depends on which. */
  queryScale?: number;
  /** Weight type of each matrix in turn. */
  types?: readonly EncodableTypeName[];
}

/** Of hybrids: an attention layer comes after this many less one of constant state. */
const attentionEvery = 2;
/** Heads of Gated DeltaNet. */
const delta = { keyHeads: 2, valueHeads: 4, headDim: 32 };

const controlTokens = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'];

/** The bytes of a GGUF file with a byte-level vocabulary of 259 tokens and a ChatML template. */
export function tinyModel(options: TinyModelOptions): Uint8Array {
  const { architecture, seed = 1, layers = 3, hiddenSize = 64, heads = 4, kvHeads = 2, headDim = 64, width = 96 } = options;
  const { contextTokens = 1024, windowTokens = 48, embeddingScale = 4, queryScale = 1, types = ['Q4_1', 'Q8_0', 'F16', 'Q4_0', 'F32'] } = options;
  const random = seededRandom(seed);
  /** Of the hybrids; the others attend in every layer. */
  const attends = (layer: number): boolean => architecture === 'llama' || architecture === 'gemma3' || layer % attentionEvery === attentionEvery - 1;
  const vocabulary = byteVocabulary();
  const tensors: TensorToWrite[] = [];
  const matrix = (name: string, inputs: number, outputs: number, scale = 1): void => {
    const type = types[tensors.length % types.length];
    tensors.push({ name, dims: [inputs, outputs], type, bytes: encodeTensor(type, normal(random, inputs * outputs, scale / Math.sqrt(inputs))) });
  };
  const norm = (name: string, size: number): void => {
    const weights = Float32Array.from({ length: size }, () => 0.8 + 0.4 * random());
    tensors.push({ name, dims: [size], type: 'F32', bytes: encodeTensor('F32', weights) });
  };
  matrix('token_embd.weight', hiddenSize, vocabulary.length, embeddingScale);
  norm(architecture === 'lfm2' ? 'token_embd_norm.weight' : 'output_norm.weight', hiddenSize);
  const plain = (name: string, dims: number[], value: () => number): void => {
    const values = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, value);
    tensors.push({ name, dims, type: 'F32', bytes: encodeTensor('F32', values) });
  };
  const deltaNet = (block: (name: string) => string, i: number): void => {
    const inner = delta.valueHeads * delta.headDim;
    const channels = 2 * delta.keyHeads * delta.headDim + inner;
    matrix(block('attn_qkv'), hiddenSize, channels);
    matrix(block('attn_gate'), hiddenSize, inner);
    matrix(block('ssm_alpha'), hiddenSize, delta.valueHeads);
    matrix(block('ssm_beta'), hiddenSize, delta.valueHeads);
    plain(block('ssm_conv1d'), [4, channels], () => random() - 0.5);
    plain(`blk.${i}.ssm_a`, [delta.valueHeads], () => -0.5 * random());
    plain(`blk.${i}.ssm_dt.bias`, [delta.valueHeads], () => -2 * random());
    norm(block('ssm_norm'), delta.headDim);
    matrix(block('ssm_out'), inner, hiddenSize);
  };
  for (let i = 0; i < layers; i++) {
    const block = (name: string): string => `blk.${i}.${name}.weight`;
    norm(block('attn_norm'), hiddenSize);
    norm(block(architecture === 'qwen35' ? 'post_attention_norm' : 'ffn_norm'), hiddenSize);
    if (!attends(i) && architecture === 'qwen35') deltaNet(block, i);
    else if (!attends(i)) {
      matrix(block('shortconv.in_proj'), hiddenSize, 3 * hiddenSize);
      plain(block('shortconv.conv'), [3, hiddenSize], () => random() - 0.5);
      matrix(block('shortconv.out_proj'), hiddenSize, hiddenSize);
    } else {
      matrix(block('attn_q'), hiddenSize, heads * headDim * (architecture === 'qwen35' ? 2 : 1), queryScale);
      matrix(block('attn_k'), hiddenSize, kvHeads * headDim);
      matrix(block('attn_v'), hiddenSize, kvHeads * headDim);
      matrix(block('attn_output'), heads * headDim, hiddenSize);
    }
    matrix(block('ffn_gate'), hiddenSize, width);
    matrix(block('ffn_up'), hiddenSize, width);
    matrix(block('ffn_down'), width, hiddenSize);
    if (architecture === 'llama' || !attends(i)) continue;
    norm(block('attn_q_norm'), headDim);
    norm(block('attn_k_norm'), headDim);
    if (architecture !== 'gemma3') continue;
    norm(block('post_attention_norm'), hiddenSize);
    norm(block('post_ffw_norm'), hiddenSize);
  }
  const uint = (value: number): ValueToWrite => ({ type: 'uint32', value });
  const float = (value: number): ValueToWrite => ({ type: 'float32', value });
  const text = (value: string): ValueToWrite => ({ type: 'string', value });
  const sizes: Record<string, ValueToWrite> = {
    block_count: uint(layers),
    context_length: uint(contextTokens),
    embedding_length: uint(hiddenSize),
    feed_forward_length: uint(width),
    'attention.head_count': uint(heads),
    'attention.head_count_kv': architecture === 'lfm2' ? { type: 'array', elementType: 'uint32', value: Array.from({ length: layers }, (_, i) => (attends(i) ? kvHeads : 0)) } : uint(kvHeads),
    'attention.key_length': uint(headDim),
    'attention.value_length': uint(headDim),
    'attention.layer_norm_rms_epsilon': float(1e-5),
    'rope.freq_base': float(10_000),
    ...(architecture === 'lfm2' ? { 'shortconv.l_cache': uint(3) } : {}),
    ...(architecture === 'qwen35'
      ? {
          full_attention_interval: uint(attentionEvery),
          'ssm.conv_kernel': uint(4),
          'ssm.state_size': uint(delta.headDim),
          'ssm.group_count': uint(delta.keyHeads),
          'ssm.time_step_rank': uint(delta.valueHeads),
          'ssm.inner_size': uint(delta.valueHeads * delta.headDim),
        }
      : {}),
    ...(architecture === 'gemma3' ? { 'attention.sliding_window': uint(windowTokens), 'attention.sliding_window_pattern': uint(2) } : {}),
  };
  return written({
    metadata: {
      'general.architecture': text(architecture),
      'general.name': text(`Tiny ${architecture}`),
      ...Object.fromEntries(Object.entries(sizes).map(([key, value]) => [`${architecture}.${key}`, value])),
      'tokenizer.ggml.model': text('gpt2'),
      'tokenizer.ggml.pre': text('gpt-2'),
      'tokenizer.ggml.tokens': { type: 'array', elementType: 'string', value: vocabulary },
      'tokenizer.ggml.token_type': { type: 'array', elementType: 'int32', value: vocabulary.map((token) => (controlTokens.includes(token) ? 3 : 1)) },
      'tokenizer.ggml.merges': { type: 'array', elementType: 'string', value: [] },
      'tokenizer.ggml.eos_token_id': uint(vocabulary.indexOf('<|im_end|>')),
      'tokenizer.ggml.add_bos_token': { type: 'bool', value: false },
      'tokenizer.chat_template': text(
        "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
      ),
    },
    tensors,
  });
}

const sources = new WeakMap<Uint8Array, GgufToWrite>();

function written(model: GgufToWrite): Uint8Array {
  const bytes = writeGguf(model);
  sources.set(bytes, model);
  return bytes;
}

/** What a tiny model was written from. */
export function rawTinyModel(bytes: Uint8Array): GgufToWrite {
  const found = sources.get(bytes);
  if (!found) throw new Error('these bytes are not of a tiny model of this process');
  return found;
}

/** The 256 bytes as GPT-2 spells them, then the control tokens. */
function byteVocabulary(): string[] {
  const printable = (byte: number): boolean => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let next = 256;
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
  return [...bytes, ...controlTokens];
}

/** Normally distributed numbers (Box–Muller). */
function normal(random: () => number, count: number, deviation: number): Float32Array {
  return Float32Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return deviation * radius * Math.cos(2 * Math.PI * random());
  });
}
