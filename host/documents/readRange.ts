/** A range of a text file in UTF-16 units, decoded from the nearest checkpoint on. */
import { open } from 'node:fs/promises';
import type { Checkpoint } from './textWriter.ts';

export async function readTextRange(
  path: string,
  checkpoints: readonly Checkpoint[],
  characters: number,
  start: number,
  end: number,
): Promise<string> {
  const from = Math.min(start, characters);
  const to = Math.min(Math.max(end, from), characters);
  if (from === to) return '';
  const [firstCharacter, firstByte] = checkpoints.findLast(([offset]) => offset <= from) ?? [0, 0];
  const after = checkpoints.find(([offset]) => offset >= to);
  const file = await open(path, 'r');
  try {
    const lastByte = after?.[1] ?? (await file.stat()).size;
    const bytes = Buffer.alloc(lastByte - firstByte);
    await file.read(bytes, 0, bytes.length, firstByte);
    return bytes.toString('utf8').slice(from - firstCharacter, to - firstCharacter);
  } finally {
    await file.close();
  }
}
