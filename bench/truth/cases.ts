/** Documents out of novels with hidden sentences, and what is asked of them. Deterministic for a seed. */
import { seededRandom } from '../../engine/formats/quantisation/testing/seededRandom.ts';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.ts';

/** A given text after the document: its tokens from `scoredFrom` on are what the policies are compared on. */
export interface Tail {
  kind: 'needle' | 'continuation';
  /** Read exactly, as a question is. */
  question: readonly number[];
  /** Decoded by the policy. */
  answer: readonly number[];
  /** Tokens of the answer that must come out for a needle to be found: from this one on. */
  codeFrom: number;
}

export interface TruthDocument {
  index: number;
  /** Of the document itself, without any question. */
  tokens: readonly number[];
  tails: readonly Tail[];
}

const names = ['Casaubon', 'Lydgate', 'Bulstrode', 'Ladislaw', 'Featherstone', 'Garth', 'Brooke', 'Vincy', 'Farebrother', 'Raffles'];
const continuationTokens = 64;

export interface CaseOptions {
  book: string;
  /** Tokens of a document, hidden sentences included. */
  documentTokens: number;
  documents: number;
  needlesPerDocument: number;
  seed: number;
}

/**
 * Each document is a stretch of the book with a few codes hidden at even depths; it is asked for each code, and to go
 * on as the book does.
 */
export function* truthDocuments(tokenizer: Tokenizer, { book, documentTokens, documents, needlesPerDocument, seed }: CaseOptions): Generator<TruthDocument> {
  const random = seededRandom(seed);
  const encode = (text: string): number[] => [...tokenizer.encode(text)];
  const bos = tokenizer.addBos && tokenizer.bos !== undefined ? [tokenizer.bos] : [];
  for (let index = 0; index < documents; index++) {
    const hidden = Array.from({ length: needlesPerDocument }, (_, i) => ({
      name: names[(index * needlesPerDocument + i) % names.length],
      code: String(10_000 + Math.floor(random() * 90_000)),
      depth: (i + random()) / needlesPerDocument,
    }));
    const start = Math.floor(random() * (book.length - (documentTokens + continuationTokens + 200) * 6));
    const stretch = encode(book.slice(start, start + (documentTokens + continuationTokens + 200) * 6));
    const sentences = hidden.map(({ name, code }) => encode(` The secret code of Mr ${name} is ${code}.`));
    const bookTokens = documentTokens - bos.length - sentences.reduce((sum, { length }) => sum + length, 0);
    const tokens: number[] = [...bos];
    let taken = 0;
    for (const [i, { depth }] of hidden.entries()) {
      const until = Math.floor(depth * bookTokens);
      tokens.push(...stretch.slice(taken, until), ...sentences[i]);
      taken = until;
    }
    tokens.push(...stretch.slice(taken, bookTokens));
    const needles = hidden.map(({ name, code }): Tail => {
      const lead = encode(` The secret code of Mr ${name} is`);
      const answer = encode(` The secret code of Mr ${name} is ${code}.`);
      return { kind: 'needle', question: encode(`\n\nQuestion: What is the secret code of Mr ${name}?\nAnswer:`), answer: answer.slice(0, -1), codeFrom: lead.length };
    });
    const continuation: Tail = { kind: 'continuation', question: [], answer: stretch.slice(bookTokens, bookTokens + continuationTokens), codeFrom: 0 };
    yield { index, tokens, tails: [...needles, continuation] };
  }
}
