import { EngineError } from '../errors.ts';
import { BytePairEncoder } from './bytePairEncoder.ts';
import type { PlainTextEncoder } from './encodedPiece.ts';
import type { TokenizerMetadata } from './metadata.ts';
import { ModelTokenizer } from './modelTokenizer.ts';
import { preTokenizers, type PreTokenizer } from './preTokenizers.ts';
import { RwkvEncoder } from './rwkvEncoder.ts';
import { SentencePieceEncoder } from './sentencePieceEncoder.ts';
import type { Spelling } from './tokenBytes.ts';
import type { Tokenizer } from './tokenizer.ts';
import { readVocabulary, type Vocabulary } from './vocabulary.ts';

const supportedModels = ['gpt2', 'llama', 'rwkv'];

/**
 * Makes the tokenizer that a model file describes. Throws `tokenizer-unsupported` for a kind of
 * tokenizer or pre-tokenizer that is not known: guessing would give wrong answers without a sign.
 */
export function createTokenizer(metadata: TokenizerMetadata): Tokenizer {
  const model = metadata.string('tokenizer.ggml.model');
  if (!supportedModels.includes(model)) throw unsupported('tokenizer', model, supportedModels);
  if (model === 'rwkv') return createRwkv(metadata);
  return model === 'gpt2' ? createByteLevel(metadata) : createSentencePiece(metadata);
}

function createByteLevel(metadata: TokenizerMetadata): Tokenizer {
  const preTokenizer = readPreTokenizer(metadata);
  const vocabulary = readVocabulary(metadata);
  const encoder = new BytePairEncoder(vocabulary, metadata.strings('tokenizer.ggml.merges'), preTokenizer);
  return create(metadata, vocabulary, encoder, { spelling: 'byte-level', addBos: preTokenizer.addBos });
}

function createSentencePiece(metadata: TokenizerMetadata): Tokenizer {
  const vocabulary = readVocabulary(metadata);
  const scores = metadata.numbers('tokenizer.ggml.scores');
  if (scores.length < vocabulary.size) {
    throw new EngineError(
      'gguf-invalid',
      `The model file lists ${vocabulary.size} tokens but the scores of only ${scores.length}.`,
      'Download the model file again, or choose another one.',
    );
  }
  const encoder = new SentencePieceEncoder(vocabulary, scores, {
    addSpacePrefix: metadata.booleanOr('tokenizer.ggml.add_space_prefix', true),
  });
  return create(metadata, vocabulary, encoder, { spelling: 'sentence-piece', addBos: true });
}

function createRwkv(metadata: TokenizerMetadata): Tokenizer {
  const vocabulary = readVocabulary(metadata);
  const unknown = metadata.integerOr('tokenizer.ggml.unknown_token_id', 0);
  return create(metadata, vocabulary, new RwkvEncoder(vocabulary, unknown), { spelling: 'escaped', addBos: false });
}

function create(
  metadata: TokenizerMetadata,
  vocabulary: Vocabulary,
  encoder: PlainTextEncoder,
  defaults: { readonly spelling: Spelling; readonly addBos: boolean },
): Tokenizer {
  const tokenAt = (name: string): number | undefined => {
    const token = metadata.integerOr(`tokenizer.ggml.${name}_token_id`, -1);
    return token >= 0 && token < vocabulary.size ? token : undefined;
  };
  const bos = tokenAt('bos');
  return new ModelTokenizer({
    vocabulary,
    encoder,
    spelling: defaults.spelling,
    model: metadata.string('tokenizer.ggml.model'),
    preTokenizer: metadata.stringOr('tokenizer.ggml.pre', 'default'),
    bos,
    eos: tokenAt('eos'),
    addBos: bos !== undefined && metadata.booleanOr('tokenizer.ggml.add_bos_token', defaults.addBos),
    addEos: metadata.booleanOr('tokenizer.ggml.add_eos_token', false),
    namedEnds: [tokenAt('eos'), tokenAt('eot'), tokenAt('eom')].filter((token) => token !== undefined),
  });
}

function readPreTokenizer(metadata: TokenizerMetadata): PreTokenizer {
  const name = metadata.stringOr('tokenizer.ggml.pre', 'default');
  const preTokenizer = preTokenizers.get(name);
  if (preTokenizer === undefined) throw unsupported('pre-tokenizer', name, [...preTokenizers.keys()]);
  return preTokenizer;
}

function unsupported(what: string, name: string, supported: readonly string[]): EngineError {
  return new EngineError(
    'tokenizer-unsupported',
    `The model file uses the ${what} "${name}", which is not supported. Supported are: ${supported.join(', ')}.`,
    'Choose another model, or a newer version of this program.',
  );
}
