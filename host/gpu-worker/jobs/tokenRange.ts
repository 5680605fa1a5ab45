/** Which of a document's tokens hold some of its characters. */
import { readFile } from 'node:fs/promises';
import { tokenRange } from '../../../engine/tokenizer/tokenRange.ts';
import type { ActiveModel } from '../activeModel.ts';
import type { TokenRange } from '../protocol.ts';

/** Tokens count from the document's own first one: what it has in every prompt is its trimmed text. */
export async function documentTokenRange(model: ActiveModel, { textPath, start, end }: { textPath: string; start: number; end: number }): Promise<TokenRange> {
  const text = await readFile(textPath, 'utf8');
  const trimmed = text.trim();
  const leading = text.length - text.trimStart().length;
  const inside = (character: number) => Math.min(trimmed.length, Math.max(0, character - leading));
  const { tokens, starts } = model.tokenizer.encodeWithOffsets(trimmed);
  return { ...tokenRange(starts, inside(start), inside(end)), tokens: tokens.length };
}
