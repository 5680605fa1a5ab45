/** Every tensor of a file, dequantised, as the CPU reference wants them. */
import type { GgufFile } from '../formats/gguf/readGguf.ts';
import { dequantise } from '../formats/quantisation/dequantise.ts';
import type { ReferenceMatrix, ReferenceWeights } from '../reference/forward.ts';

export async function referenceWeights(file: GgufFile): Promise<ReferenceWeights> {
  const matrices = new Map<string, ReferenceMatrix>();
  for (const { name, dims, type, offsetBytes, sizeBytes } of file.tensors.values()) {
    const elements = dims.reduce((a, b) => a * b, 1);
    const values = dequantise(type, await file.source.read(offsetBytes, sizeBytes), elements);
    matrices.set(name, { rows: elements / dims[0], columns: dims[0], values });
  }
  const matrix = (name: string): ReferenceMatrix => {
    const found = matrices.get(name);
    if (!found) throw new Error(`no tensor ${name}`);
    return found;
  };
  return { matrix, vector: (name) => matrix(name).values };
}
