/** The named parts of a kept segment. Numbers are those of the model's blocks, from 0. */

/** Changes whenever what the engine computes, or how it lies in a part, changes: what was kept before is then read again. */
export const engineEpoch = 1;
/** Changes when the index does: one of another version is not found, and built again from the keys, for which nothing is read again. */
const indexVersion = 3;

/** Keys of a block, [kvHead][token][words], after rotary embedding, in the record of the block's cache. */
export function keysPart(block: number): string {
  return `keys.${block}`;
}

/** Values of a block, laid out as the keys. */
export function valuesPart(block: number): string {
  return `values.${block}`;
}

/** Keys of a sliding block, [kvHead][n][words]: of the segment's last n tokens, as many as the ring still had. */
export function windowKeysPart(block: number): string {
  return `window-keys.${block}`;
}

export function windowValuesPart(block: number): string {
  return `window-values.${block}`;
}

/** The state of a block of constant state after the segment's last token, matrix and convolution tail; f32. */
export function statePart(block: number): string {
  return `state.${block}`;
}

/** Parts that only help to begin at the end of their own segment. */
export function isSnapshotPart(name: string): boolean {
  return name.startsWith('window-') || name.startsWith('state.');
}

/** The index of a far block over the whole far segments inside the kept one; the name holds what its layout depends on. */
export function indexPart(block: number, { segmentTokens, planes }: { segmentTokens: number; planes: number }): string {
  return `index-${indexVersion}-${segmentTokens}-${planes}.${block}`;
}

export interface SegmentPart {
  name: string;
  bytes: Uint8Array;
}
