import { bytesOfStandIns } from './byteAlphabet.ts';
import { bytesOfEscaped } from './rwkvEncoder.ts';
import { spaceMark } from './sentencePieceEncoder.ts';
import type { Vocabulary } from './vocabulary.ts';

/** How a vocabulary spells the bytes of its ordinary tokens. */
export type Spelling = 'byte-level' | 'sentence-piece' | 'escaped';

const textEncoder = new TextEncoder();
const byteName = /^<0x([0-9A-Fa-f]{2})>$/;

/** The bytes that a token stands for. Control and user-defined tokens are spelled as they are. */
export function bytesOfToken(vocabulary: Vocabulary, spelling: Spelling, token: number): Uint8Array {
  const text = vocabulary.texts[token];
  if (vocabulary.isControl(token) || vocabulary.isUserDefined(token)) return textEncoder.encode(text);
  if (spelling === 'byte-level') return bytesOfStandIns(text) ?? textEncoder.encode(text);
  if (spelling === 'escaped') return bytesOfEscaped(text);
  const byte = vocabulary.isByte(token) ? byteName.exec(text) : null;
  if (byte !== null) return Uint8Array.of(Number.parseInt(byte[1], 16));
  return textEncoder.encode(text.replaceAll(spaceMark, ' '));
}
