import type { StreamDecoder } from './tokenizer.ts';

/** Decodes tokens as they come; `bytesOf` gives the bytes of one, empty for one that is left out. */
export function createStreamDecoder(bytesOf: (token: number) => Uint8Array): StreamDecoder {
  // It keeps the bytes of an incomplete character until the rest comes.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  return {
    push: (token) => decoder.decode(bytesOf(token), { stream: true }),
    flush: () => decoder.decode(),
  };
}
